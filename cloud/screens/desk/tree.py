"""The tree of ticket types as a person chooses from it."""

from cloud.tickets.types import in_tree, list_types
from cloud.web import words
from cloud.web.pages import Page
from cloud.web.session import Unit

_INDENT = "\u3000"  # an ideographic space: others are dropped from options by browsers


async def type_options(work: Unit, page: Page) -> list[tuple[str, str]]:
    """Return the types that a ticket may be opened with as values and words, children below their parents."""
    types = await list_types(work.session, work.principal)
    return [
        (each.code, _INDENT * depth + words.written(each.name, page.reader.locale)) for depth, each in in_tree(types)
    ]
