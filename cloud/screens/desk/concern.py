"""What an incident concerns, as people name it: buildings and places by a tick, units as they say them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cloud.core.errors import Refused
from cloud.properties import finding
from cloud.properties import service as properties
from cloud.properties.finding import Spot
from cloud.tickets.incident_reading import Affected
from cloud.web.session import Unit
from firmware_configs.look.words import _

_BETWEEN = re.compile(r"[,，、;；\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What an incident concerns; `community_id` is None where that is in several communities, or nowhere."""

    affected: Sequence[Affected]
    community_id: int | None


async def concern(work: Unit, building_ids: Collection[int], units: str, place_ids: Collection[int]) -> Concern:
    """Return what was named.

    Raises:
        Refused: something is not there, or words for a unit mean several.
    """
    buildings = {spot.building_id: spot for spot in await finding.list_buildings(work.session, work.principal)}
    if not buildings.keys() >= set(building_ids):
        raise Refused(_("Choose one of the values offered."), "building_ids")
    places = {place.id: place for place in await properties.list_places(work.session, work.principal)}
    if not places.keys() >= set(place_ids):
        raise Refused(_("Choose one of the values offered."), "place_ids")
    labels = await properties.labels(work.session, work.principal, place_ids)
    said = [await _unit(work, words.strip()) for words in _BETWEEN.split(units) if words.strip()]
    named = [*(buildings[building_id] for building_id in building_ids), *said]
    affected = [Affected(building_id=spot.building_id, unit_id=spot.unit_id, label=spot.label) for spot in named]
    affected += [
        Affected(place_id=place_id, unit_id=places[place_id].unit_id, label=labels[place_id]) for place_id in place_ids
    ]
    communities = {*(spot.community_id for spot in named), *(places[place_id].community_id for place_id in place_ids)}
    return Concern(affected=affected, community_id=communities.pop() if len(communities) == 1 else None)


def typed(affected: Collection[Affected]) -> Mapping[str, object]:
    """Return what an incident concerns as it stands in the fields of a form."""
    return {
        "building_ids": [each.building_id for each in affected if each.building_id is not None],
        "units": ", ".join(each.label for each in affected if each.unit_id is not None and each.place_id is None),
        "place_ids": [each.place_id for each in affected if each.place_id is not None],
    }


async def building_options(work: Unit) -> list[tuple[int | None, str]]:
    """Return the buildings that may be named."""
    return [(spot.building_id, spot.label) for spot in await finding.list_buildings(work.session, work.principal)]


async def place_options(work: Unit) -> list[tuple[int, str]]:
    """Return the places that may be named."""
    places = await properties.list_places(work.session, work.principal)
    labels = await properties.labels(work.session, work.principal, [place.id for place in places])
    return sorted(labels.items(), key=lambda pair: pair[1])


async def _unit(work: Unit, words: str) -> Spot:
    found = await finding.find_units(work.session, work.principal, words, limit=2)
    exact = [spot for spot in found if spot.label == words] or found
    if len(exact) != 1:
        sentence = (
            _("“%(unit)s” may be several units: write the building too.")
            if exact
            else _("There is no unit “%(unit)s”: write 1-302.")
        )
        raise Refused(sentence, "units", unit=words)
    return exact[0]
