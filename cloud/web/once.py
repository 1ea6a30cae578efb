"""Forms that may be sent twice, by Back or by an impatient finger: what they ask for is done once.

What a telephone kept while it had no network brings a key of its own, and is known by that; see web.kept.
"""

from cloud.core import once
from cloud.web import kept
from cloud.web.forms import FormModel
from cloud.web.session import Unit


class OnceForm(FormModel):
    """A form with the key that `ui.once()` puts into it."""

    key: str = ""


async def is_first(work: Unit, sent: OnceForm, act: str) -> bool:
    """Return whether an act of a form comes for the first time; see core.once."""
    if kept.is_kept(work.request):
        return True  # a repeat did not come so far, and a kept page sends the same field with every new act
    return await once.is_first(work.session, work.clock, work.principal, key=sent.key, act=act)
