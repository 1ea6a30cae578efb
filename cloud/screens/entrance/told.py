"""How one wants to be told: channels by kind, an address for mail, a language and quiet hours."""

from datetime import time
from typing import Literal

from starlette.responses import Response

from cloud.accounts import people
from cloud.core.errors import Refused
from cloud.notifications.domain import NIGHT, OFFERS, Channel, Kind, Language, Preferences, QuietHours
from cloud.notifications.preferences import choose, own_preferences
from cloud.web.forms import Form, FormModel
from cloud.web.pages import OnPage, Page
from cloud.web.routing import pages_for
from cloud.web.session import Unit, Work
from firmware_configs.look.words import _

PATH = "/me/notifications"

router = pages_for()


class ToldForm(FormModel):
    """What one may choose; a channel of a kind is ticked as "kind:channel"."""

    mail: str | None = None
    language: Language
    quiet: Literal["on"] | None = None
    quiet_begins: time | None = None
    quiet_ends: time | None = None
    channels: tuple[str, ...] = ()

    def wanted(self) -> Preferences:
        """Return the choice.

        Raises:
            Refused: there are to be quiet hours, and one of their ends is missing.
        """
        return Preferences(
            mail=self.mail,
            language=self.language,
            quiet=self._quiet(),
            chosen={
                kind: frozenset(channel for channel in Channel if _tick(kind, channel) in self.channels)
                for kind in Kind
            },
        )

    def _quiet(self) -> QuietHours | None:
        if not self.quiet:
            return None
        if self.quiet_begins is None:
            raise Refused(_("Say from when it is quiet."), "quiet_begins")
        if self.quiet_ends is None:
            raise Refused(_("Say until when it is quiet."), "quiet_ends")
        return QuietHours(self.quiet_begins, self.quiet_ends)


@router.get("/me/notifications")
async def told(work: Work, page: OnPage) -> Response:
    """Draw the form with what stands, or with what holds for whoever never chose."""
    own = await own_preferences(work.session, work.principal)
    chosen = own or Preferences(language=Language(page.reader.locale))
    quiet = chosen.quiet or NIGHT
    form = Form.blank(
        ToldForm,
        mail=chosen.mail,
        language=chosen.language,
        quiet=chosen.quiet is not None,
        quiet_begins=f"{quiet.begins:%H:%M}",
        quiet_ends=f"{quiet.ends:%H:%M}",
        channels=[_tick(kind, channel) for kind in Kind for channel in chosen.channels(kind)],
    )
    return await _draw(work, page, form)


@router.post("/me/notifications")
async def change(work: Work, page: OnPage) -> Response:
    """Take the choice."""
    form = await page.form(ToldForm)
    async with page.mending(form, lambda: _draw(work, page, form)):
        await choose(work.session, work.clock, work.principal, form.value.wanted())
    return page.done(PATH, _("Saved."))


async def _draw(work: Unit, page: Page, form: Form[ToldForm]) -> Response:
    known = await people.list_people(work.session, work.principal, ids=[work.principal.person_id or 0])
    phone = next((person.phone for person in known), None)
    return page.show("entrance/told.html", form=form, phone=phone, offers=OFFERS, channels=list(Channel))


def _tick(kind: Kind, channel: Channel) -> str:
    return f"{kind}:{channel}"
