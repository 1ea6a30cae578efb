from pathlib import Path

import pytest

from cloud.core import files
from cloud.core.database import Database
from cloud.core.errors import Conflict, NotFound, TooLarge
from cloud.core.files import FileDamaged, FileStore, Saved
from cloud.core.principal import Principal
from tests.clocks import FixedClock

ZHANG = Principal(organisation_id=1, person_id=7, name="张三")
NEIGHBOUR = Principal(organisation_id=2, person_id=8, name="李四")


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return FileStore(f"{request.param}://{tmp_path}/files")


async def _add(database: Database, clock: FixedClock, saved: Saved, *, principal: Principal = ZHANG) -> int:
    async with database.transaction() as session:
        return await files.add(session, clock, principal, saved, name="照片.jpg", media_type="image/jpeg")


async def test_what_was_saved_is_loaded_and_named_by_its_hash(store: FileStore) -> None:
    saved = await store.save(b"abc")
    assert saved == Saved(
        sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # FIPS 180-2, appendix B.1
        size_bytes=3,
    )
    assert await store.load(saved.sha256) == b"abc"


async def test_saving_the_same_twice_keeps_it(store: FileStore) -> None:
    assert await store.save(b"abc") == await store.save(b"abc")


async def test_saving_leaves_no_part_behind(tmp_path: Path) -> None:
    await FileStore(f"file://{tmp_path}/files").save(b"abc")
    assert [path.name[:6] for path in (tmp_path / "files" / "ba").iterdir()] == ["ba7816"]


async def test_damage_in_the_store_is_an_error_and_never_content(tmp_path: Path) -> None:
    store = FileStore(f"file://{tmp_path}")
    saved = await store.save(b"abc")
    (tmp_path / saved.sha256[:2] / saved.sha256).write_bytes(b"abd")
    with pytest.raises(FileDamaged, match="damaged"):
        await store.load(saved.sha256)


async def test_what_is_gone_from_the_store_is_an_error(store: FileStore) -> None:
    saved = await store.save(b"abc")
    await store.delete(saved.sha256)
    await store.delete(saved.sha256)
    with pytest.raises(FileDamaged, match="missing"):
        await store.load(saved.sha256)


async def test_too_much_is_refused_before_it_is_stored(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAXIMUM_BYTES", 1024**2)
    with pytest.raises(TooLarge, match="at most 1 MB"):
        await store.save(bytes(1024**2 + 1))


async def test_a_file_is_found_by_its_organisation_alone(
    database: Database, clock: FixedClock, store: FileStore
) -> None:
    file_id = await _add(database, clock, await store.save(b"abc"))
    async with database.reading() as session:
        file = await files.find(session, ZHANG, file_id)
        assert (file.name, file.media_type, file.size_bytes, file.added_by) == ("照片.jpg", "image/jpeg", 3, 7)
        with pytest.raises(NotFound):
            await files.find(session, NEIGHBOUR, file_id)


async def test_a_removed_file_is_gone_and_its_bytes_are_swept_a_week_later(
    database: Database, clock: FixedClock, store: FileStore
) -> None:
    saved = await store.save(b"abc")
    file_id = await _add(database, clock, saved)
    async with database.transaction() as session:
        await files.remove(session, clock, ZHANG, file_id)
    async with database.reading() as session:
        with pytest.raises(NotFound):
            await files.find(session, ZHANG, file_id)
    await files.sweep(database, clock, store)
    assert await store.load(saved.sha256) == b"abc"
    clock.advance(days=7, seconds=1)
    await files.sweep(database, clock, store)
    with pytest.raises(FileDamaged, match="missing"):
        await store.load(saved.sha256)


async def test_bytes_that_another_file_names_are_not_swept(
    database: Database, clock: FixedClock, store: FileStore
) -> None:
    saved = await store.save(b"abc")
    file_id = await _add(database, clock, saved)
    await _add(database, clock, saved, principal=NEIGHBOUR)
    async with database.transaction() as session:
        await files.remove(session, clock, ZHANG, file_id)
    clock.advance(days=8)
    await files.sweep(database, clock, store)
    assert await store.load(saved.sha256) == b"abc"


async def test_nobody_may_rely_on_bytes_that_are_being_deleted(
    database: Database, clock: FixedClock, store: FileStore
) -> None:
    saved = await store.save(b"abc")
    file_id = await _add(database, clock, saved)
    async with database.transaction() as session:
        await files.remove(session, clock, ZHANG, file_id)
    clock.advance(days=8)

    class Slow(FileStore):
        """A store in which somebody sends the same bytes while they are being deleted."""

        async def delete(self, sha256: str) -> None:
            with pytest.raises(Conflict, match="being deleted"):
                await _add(database, clock, saved)
            await store.delete(sha256)

    await files.sweep(database, clock, Slow("memory://unused"))
    again = await _add(database, clock, await store.save(b"abc"))
    async with database.reading() as session:
        assert await store.load((await files.find(session, ZHANG, again)).sha256) == b"abc"
