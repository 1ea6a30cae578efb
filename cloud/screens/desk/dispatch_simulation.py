"""The last weeks' tickets under the rules in force and under those that were typed, side by side."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from starlette.responses import Response

from cloud.core.errors import GatehouseError
from cloud.core.principal import Role
from cloud.properties import service as properties
from cloud.screens.desk.dispatch_rules import RulesForm, typed_rules
from cloud.tickets.dispatch_rules import DispatchRules, check_rules, rules_in_force
from cloud.tickets.recorded import PERIOD, Kept, read_past
from cloud.tickets.simulated import Comparison, Figures, compare
from cloud.web import formats, words
from cloud.web.forms import Form
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Work
from firmware_configs.look.words import _

router = pages_for(Role.DESK, Role.OPERATOR, Role.MANAGER)

_GROUPS = 30
"""Types and communities that are drawn, those with the most tickets: more are no comparison that anybody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of some tickets under the rules in force and under the others."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What the tickets of one type or of one community come to."""

    name: str
    tickets: int
    lines: Sequence[Line]


@router.get("/dispatch/rules/simulated")
async def simulated(work: Work, page: OnPage) -> Response:
    """Draw what would have become of the last weeks' tickets; without rules in its address, under those in force."""
    in_force = (await rules_in_force(work.session, work.principal)).rules
    form = typed_rules(work)
    draft = _draft(form) or in_force
    kept = await read_past(work.session, work.clock, work.principal)
    communities = {each.id: each.name for each in await properties.list_communities(work.session, work.principal)}
    found = await asyncio.to_thread(compare, kept.past, in_force, draft)
    return page.show(
        "desk/dispatch_simulation.html",
        is_same=draft == in_force,
        back=f"/dispatch/rules?{work.request.url.query}" if form.typed else "/dispatch/rules",
        days=PERIOD.days,
        replayed=len(kept.past.tickets),
        total=kept.total,
        since=kept.past.begins,
        lines=_lines(page, *found.overall),
        groups=_groups(page, kept, found, communities),
    )


@router.post("/dispatch/rules/simulate")
async def simulate(page: OnPage) -> Response:
    """Send the browser to the replay under the typed rules, which changes nothing and so holds up nobody."""
    form = await page.form(RulesForm)
    sent = {name: form.texts(name) for name in RulesForm.model_fields if any(form.texts(name))}
    return page.go(f"/dispatch/rules/simulated?{urlencode(sent, doseq=True)}")


def _draft(form: Form[RulesForm]) -> DispatchRules | None:
    """Return the typed rules; None where they make none."""
    try:
        rules = form.value.rules
        check_rules(rules)
    except GatehouseError:
        return None
    return rules


def _groups(page: Page, kept: Kept, found: Comparison, communities: Mapping[int, str]) -> list[tuple[str, list[Group]]]:
    locale = page.reader.locale
    types = [
        _group(page, words.written(kept.types[code], locale), before, after)
        for code, before, after in found.by_type[:_GROUPS]
    ]
    places = [
        _group(page, communities.get(each or 0, "") or page.say(_("No community")), before, after)
        for each, before, after in found.by_community[:_GROUPS]
    ]
    return [(page.say(_("By type")), types), (page.say(_("By community")), places)]


def _group(page: Page, name: str, before: Figures, after: Figures) -> Group:
    return Group(name=name, tickets=before.tickets, lines=_lines(page, before, after))


def _lines(page: Page, before: Figures, after: Figures) -> list[Line]:
    def time(length: timedelta | None) -> str:
        return "–" if length is None else formats.duration(length, page.reader)

    told = {
        _("The rules found somebody"): [str(each.found) for each in (before, after)],
        _("Given or taken by hand"): [str(each.by_hand) for each in (before, after)],
        _("Found by nobody"): [str(each.nobody) for each in (before, after)],
        _("Half were accepted within"): [time(each.median) for each in (before, after)],
        _("Nine in ten were accepted within"): [time(each.slowest_tenth) for each in (before, after)],
        _("A supervisor was called"): [str(each.called) for each in (before, after)],
        _("Jobs of a worker, fewest to most"): [f"{each.least}–{each.most}" for each in (before, after)],
    }
    return [Line(name=page.say(name), before=was, after=would) for name, (was, would) in told.items()]
