"""Learning types from closed tickets: by scikit-learn in a program of its own, and asked without it."""

import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sqlalchemy import select

from cloud.core.database import Database
from cloud.core.files import FileStore
from cloud.core.principal import Principal
from cloud.tickets import learning
from cloud.tickets.default_types import DEFAULT_TYPES
from cloud.tickets.domain import Origin, Payer, State
from cloud.tickets.learned import Guess, Learned, Model, Unreadable
from cloud.tickets.suggesting import suggested
from cloud.tickets.tables import TicketRow, TicketTypeRow
from cloud.tickets.training import Lesson, interval, learn
from cloud.tickets.types import seed_types
from tests.architecture.source import ROOT
from tests.clocks import FixedClock
from tests.cloud.estate import Estate, make_organisation

_SAID = {
    "water_indoor": ("厨房龙头滴水", "卫生间马桶堵了", "洗手盆下面渗水", "地漏返水"),
    "light_public": ("楼道的灯坏了", "地下车库太黑", "门厅灯一闪一闪", "路灯没亮"),
    "noise": ("楼上半夜吵闹", "邻居装修太吵", "广场音乐声太大", "狗整夜叫"),
}


def lesson(each: int, *, types: int = 3) -> Lesson:
    """Return so many tickets of each type, worded with little differences."""
    rng = random.Random(7)
    told = [
        (f"{rng.choice(said)}，{rng.randrange(1, 30)} 栋 {rng.randrange(101, 999)}", code)
        for code, said in list(_SAID.items())[:types]
        for _number in range(each)
    ]
    return Lesson(texts=[text for text, _code in told], types=[code for _text, code in told])


@pytest.mark.parametrize("types", [2, 3])
def test_what_was_learnt_says_without_the_library_what_the_library_says(types: int) -> None:
    taught = lesson(80, types=types)
    learnt = learn(taught)
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, max_features=20_000)
    classifier = LogisticRegression(C=10.0, max_iter=1_000, class_weight="balanced")
    classifier.fit(vectorizer.fit_transform(taught.texts), taught.types)
    asked = ["厨房  的龙头一直滴水", "楼道好黑", "Tap"]
    guesses = [Learned(learnt.model).guess(text) for text in asked]
    for row, guess in zip(classifier.predict_proba(vectorizer.transform(asked[:2])), guesses, strict=False):
        assert guess is not None
        assert guess.code == classifier.classes_[row.argmax()]
        assert guess.probability == pytest.approx(row.max(), abs=1e-4)
    assert guesses[2] is None


def test_the_report_counts_types_and_gives_the_accuracy_with_its_interval() -> None:
    report = learn(lesson(80)).report
    assert (report.tickets, report.support) == (240, dict.fromkeys(_SAID, 80))
    assert report.lowest < report.accuracy <= report.highest + 1e-9
    assert report.accuracy > 0.9


def test_the_interval_is_wilsons() -> None:
    assert interval(45, 50) == pytest.approx((0.7864, 0.9565), abs=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x04\x95cposix\nsystem\n", id="a pickle"),
        pytest.param(msgspec.msgpack.encode({"types": ["a"]}), id="something is missing"),
        pytest.param(
            msgspec.msgpack.encode(Model(types=["a"], grams=["x", "y"], idf=b"1234", weights=b"1234", biases=[0.0])),
            id="too few numbers",
        ),
    ],
)
def test_a_file_that_holds_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        Learned.decode(content)


def test_words_of_danger_come_first_then_what_was_learnt_then_keywords() -> None:
    guess = Guess(code="noise", probability=0.8, because=("吵",))
    found = suggested("电梯困人，楼道灯不亮", DEFAULT_TYPES, guess=guess)
    assert [each.type.code for each in found] == ["lift_trapped", "noise", "light_public"]
    assert (found[1].found, found[1].probability) == (("吵",), 0.8)


def test_a_type_that_was_retired_since_is_not_suggested() -> None:
    guess = Guess(code="no_more", probability=0.9, because=("吵",))
    assert suggested("你好", DEFAULT_TYPES, guess=guess) == []


async def closed(database: Database, clock: FixedClock, estate: Estate, taught: Lesson) -> Principal:
    """Let an organisation have had these tickets."""
    principal = Principal.system(estate.organisation_id)
    async with database.transaction() as session:
        await seed_types(session, clock, principal)
        ours = TicketTypeRow.organisation_id == principal.organisation_id
        rows = {row.code: row for row in await session.scalars(select(TicketTypeRow).where(ours))}
        for number, (text, code) in enumerate(zip(taught.texts, taught.types, strict=True)):
            session.add(
                TicketRow(
                    organisation_id=principal.organisation_id,
                    number=f"2026-{number:06d}",
                    type_id=rows[code].id,
                    kind=rows[code].kind,
                    state=State.RESOLVED,
                    priority=3,
                    subject_zh=text,
                    subject_en="",
                    place="",
                    origin=Origin.CALL,
                    payer=Payer.COMPANY,
                    consent=0,
                    opened_at=clock.now(),
                    due_at=clock.now(),
                )
            )
    return principal


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(f"file://{tmp_path}/files")


async def test_an_organisation_learns_from_its_own_tickets_and_is_asked(
    database: Database, clock: FixedClock, store: FileStore
) -> None:
    estate = await make_organisation(database, clock)
    next_door = Principal.system((await make_organisation(database, clock, name="隔壁物业")).organisation_id)
    principal = await closed(database, clock, estate, lesson(80))
    await learning.learn_due(database, clock, store=store)
    clock.advance(days=8)
    await learning.learn_due(database, clock, store=store)
    async with database.reading() as session:
        guess = await learning.guess(session, store, principal, text="厨房龙头滴水，3 栋 501")
        theirs = await learning.guess(session, store, next_door, text="厨房龙头滴水，3 栋 501")
        unsure = await learning.guess(session, store, principal, text="你好")
        last = await learning.last_try(session, principal)
        kept = (await session.scalars(select(learning.LearningRow.file_id).order_by(learning.LearningRow.id))).all()
    assert guess is not None
    assert guess.code == "water_indoor"
    assert guess.because
    assert (theirs, unsure) == (None, None)
    assert last is not None
    assert last.figures is not None
    assert last.figures.tickets == 240
    assert [file_id is not None for file_id in kept] == [False, True]


@pytest.mark.parametrize(
    "taught", [pytest.param(lesson(60), id="180 tickets"), pytest.param(lesson(250, types=1), id="one type")]
)
async def test_too_little_teaches_nothing_and_says_so(
    database: Database, clock: FixedClock, store: FileStore, taught: Lesson
) -> None:
    principal = await closed(database, clock, await make_organisation(database, clock), taught)
    await learning.learn_due(database, clock, store=store)
    clock.advance(days=6)
    await learning.learn_due(database, clock, store=store)
    async with database.reading() as session:
        rows = (await session.scalars(select(learning.LearningRow))).all()
        guess = await learning.guess(session, store, principal, text="厨房龙头滴水")
    assert [(row.tickets, row.file_id, row.reason) for row in rows] == [
        (len(taught.texts), None, "Too few closed tickets with words.")
    ]
    assert rows[0].at == clock.now() - timedelta(days=6)
    assert guess is None


async def test_a_damaged_model_leaves_the_keywords(
    database: Database, clock: FixedClock, store: FileStore, tmp_path: Path
) -> None:
    principal = await closed(database, clock, await make_organisation(database, clock), lesson(80))
    await learning.learn_due(database, clock, store=store)
    for file in (tmp_path / "files").rglob("*"):
        if file.is_file():
            file.write_bytes(b"something else")
    async with database.reading() as session:
        assert await learning.guess(session, store, principal, text="厨房龙头滴水") is None


_WITHOUT = """
import importlib, pkgutil, sys, cloud
sys.modules["sklearn"] = None
for module in pkgutil.walk_packages(cloud.__path__, "cloud."):
    if not module.name.startswith(("cloud.migrations.", "cloud.__main__")) and module.name != "cloud.tickets.training":
        importlib.import_module(module.name)
"""


def test_the_cloud_imports_without_the_library() -> None:
    subprocess.run([sys.executable, "-c", _WITHOUT], cwd=ROOT, check=True)
