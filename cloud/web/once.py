"""Forms that may be sent twice, as a telephone without a signal does: what they ask for is done once."""

from cloud.core import once
from cloud.web.forms import FormModel
from cloud.web.session import Unit


class OnceForm(FormModel):
    """A form with the key that `ui.once()` puts into it; whoever keeps a form to send it later keeps the key too."""

    key: str = ""


async def is_first(work: Unit, sent: OnceForm, act: str) -> bool:
    """Return whether an act of a form comes for the first time; see core.once."""
    return await once.is_first(work.session, work.clock, work.principal, key=sent.key, act=act)
