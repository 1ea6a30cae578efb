"""A person at a real Chromium: what they see, how many acts and bytes it takes, and whether everybody could do it."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

PATIENCE_MS = 90_000
"""A busy machine is slow, not wrong."""
_AXE = (Path(__file__).parent / "vendor" / "axe.js").read_text("utf-8")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
THEMES = ("light", "dark")
LANGUAGES = ("zh-Hans", "en")
_OPEN_EVERYTHING = "document.querySelectorAll('details').forEach(part => { part.open = true; })"
_RUN_AXE = "() => axe.run(document, {resultTypes: ['violations', 'incomplete']})"


def launch(playwright: Playwright) -> Browser:
    """Return the system's Chromium; nothing is downloaded."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise FileNotFoundError("no Chromium found: run `make setup-system`, or install chromium")
    return playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))


@dataclass
class Person:
    """Somebody with a browser of their own.

    Attributes:
        acts: taps, clicks and keys so far; typing one field counts as one.
        received: bytes of all answers as they came over the line, headers included; what the browser had is none.
        complaints: what the browser said on its console, and scripts' errors: there must be none.
    """

    page: Page
    url: str
    acts: int = 0
    received: int = 0
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the site."""
        self.page.goto(self.url + path)

    def click(self, what: Locator) -> None:
        """Click or tap, which is one act."""
        self.acts += 1
        what.click()

    def press(self, key: str) -> None:
        """Press a key, or several held together, which is one act."""
        self.acts += 1
        self.page.wait_for_load_state()  # before that nobody listens to keys
        self.page.keyboard.press(key)

    def type(self, where: Locator, text: str) -> None:
        """Fill a field, which is one act."""
        self.acts += 1
        where.fill(text)

    def sign_in(self, login: str, password: str) -> None:
        """Sign in as people do."""
        self.open("/sign-in")
        self.type(self.page.locator("#login"), login)
        self.type(self.page.locator("#password"), password)
        self.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def prefer(self, **choices: str) -> None:
        """Set how pages look: language, theme, size, keys."""
        self.page.context.add_cookies(
            [{"name": f"gatehouse_{name}", "value": value, "url": self.url} for name, value in choices.items()]
        )


@contextmanager
def person(browser: Browser, url: str, **options: Any) -> Iterator[Person]:
    """Yield somebody at `url`; `options` are of Playwright's new_context, e.g. a device or java_script_enabled."""
    context: BrowserContext = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
    context.set_default_timeout(PATIENCE_MS)
    somebody = Person(page=context.new_page(), url=url)
    somebody.page.on("console", lambda said: _note(somebody, said.type, said.text))
    somebody.page.on("pageerror", lambda error: somebody.complaints.append(str(error)))
    line = context.new_cdp_session(somebody.page)
    line.send("Network.enable")
    line.on("Network.loadingFinished", lambda told: _count(somebody, told["encodedDataLength"]))
    try:
        yield somebody
    finally:
        context.close()


def wait_until(page: Page, holds: str, arg: Any = None) -> None:
    """Wait until a function in JavaScript returns what is true.

    Playwright's wait_for_function evaluates text in the page, which the pages' Content-Security-Policy refuses from the
    second look on.
    """
    ends_s = time.monotonic() + PATIENCE_MS / 1_000
    while not page.evaluate(holds, arg):
        assert time.monotonic() < ends_s, f"it never came true: {holds}"
        page.wait_for_timeout(50)


def assert_accessible(page: Page) -> None:
    """Let axe look at the page as it opens, with everything unfolded, and at each dialog; no rule is switched off."""
    page.evaluate(_AXE)
    found = _violations(page, "as it opens")
    page.evaluate(_OPEN_EVERYTHING)
    found += _violations(page, "unfolded")
    for dialog in page.locator("dialog[id]").all():
        name = dialog.get_attribute("id")
        dialog.evaluate("dialog => dialog.showModal()")
        found += _violations(page, f"dialog {name}")
        dialog.evaluate("dialog => dialog.close()")
    assert found == [], json.dumps(found, ensure_ascii=False, indent=1)


def _violations(page: Page, state: str) -> list[dict[str, Any]]:
    result = page.evaluate(_RUN_AXE)
    return [
        {"page": page.url, "state": state, "rule": violation["id"], "says": violation["help"], "at": node["html"],
         "why": node["failureSummary"]}
        for violation in result["violations"]
        for node in violation["nodes"]
    ]  # fmt: skip


def _note(somebody: Person, kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        somebody.complaints.append(text)


def _count(somebody: Person, length: float) -> None:
    somebody.received += int(length)
