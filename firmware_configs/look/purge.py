"""Bootstrap without the rules that no template uses; needs no Node, and its output is committed.

`python -m firmware_configs.look.purge` writes `built/bootstrap.css` from the vendored whole and every template's
class attributes. Classes that only a script or Python composes stand in `safelist.txt`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LOOK = Path(__file__).parent
ROOT = LOOK.parent.parent
_PROGRAMS = ("cloud", "edge")

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_CLASS_ATTRIBUTE = re.compile(
    r"""\bclass=(?:"((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"|'((?:\{\{.*?\}\}|\{%.*?%\}|[^'])*)')""", re.DOTALL
)
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)
_STRING = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_VARIABLE_USE = re.compile(r"var\((--[\w-]+)")
_VARIABLE_SET = re.compile(r"(?<![\w-])(--[\w-]+)\s*:\s*[^;}]*;?")


@dataclass(frozen=True, slots=True)
class Rule:
    """A selector or at-rule with what stands in its braces; `inner` is empty for plain declarations."""

    prelude: str
    body: str
    inner: "tuple[Rule, ...]" = ()

    def text(self) -> str:
        """Return the rule as CSS."""
        return f"{self.prelude}{{{''.join(rule.text() for rule in self.inner) or self.body}}}"


def template_folders() -> list[Path]:
    """Return every folder whose pages are drawn with the look."""
    return [LOOK / "macros", *sorted(folder for program in _PROGRAMS for folder in (ROOT / program).rglob("templates"))]


def classes_of(template: str) -> set[str]:
    """Return the classes that a template's class attributes and class arguments name, literals in Jinja included."""
    found: set[str] = set()
    for double, single in _CLASS_ATTRIBUTE.findall(template):
        value = double or single
        for expression in _EXPRESSION.findall(value):
            found.update(word for pair in _STRING.findall(expression) for text in pair for word in text.split())
        # A class with a hole in it ("priority-{{ n }}") is nobody's name: its forms stand in the safe list.
        plain = _EXPRESSION.sub("\0", _STATEMENT.sub(" ", value))
        found.update(word for word in plain.split() if "\0" not in word)
    return found


def used_classes() -> set[str]:
    """Return the classes of all templates and of the safe list."""
    texts = (page.read_text("utf-8") for folder in template_folders() for page in sorted(folder.rglob("*.html")))
    return set().union(*map(classes_of, texts), (LOOK / "safelist.txt").read_text("utf-8").split())


def defined_classes(css: str) -> set[str]:
    """Return the classes that a style sheet's selectors name."""
    return set(_CLASS.findall(" ".join(_selectors(parse(css)))))


def parse(css: str) -> tuple[Rule, ...]:
    """Return the style sheet's rules; at-rules that hold rules keep them in `inner`."""
    return tuple(_rules(_COMMENT.sub("", css)))


def purge(css: str, used: set[str], *, also: str = "") -> str:
    """Return `css` with only the rules whose every class is in `used`, and the variables that those or `also` read."""
    kept = "".join(rule.text() for rule in _kept(parse(css), used))
    while (fewer := _without_unread(kept, also)) != kept:
        kept = fewer
    return kept


def build() -> str:
    """Return the purged Bootstrap as it should stand in `built/bootstrap.css`."""
    whole = (LOOK / "vendored" / "bootstrap.css").read_text("utf-8")
    own = "".join(sheet.read_text("utf-8") for sheet in sorted((LOOK / "styles").glob("*.css")))
    return purge(whole, used_classes(), also=own).replace("}", "}\n")


def _rules(css: str) -> Iterator[Rule]:
    position = 0
    while (opening := css.find("{", position)) >= 0:
        prelude = " ".join(css[position:opening].rsplit(";", maxsplit=1)[-1].split())
        closing = _closing(css, opening)
        body = css[opening + 1 : closing]
        if prelude.startswith("@media"):
            yield Rule(prelude, "", tuple(_rules(body)))
        elif prelude.startswith("@keyframes"):
            yield Rule(prelude, _tight(body))
        else:
            yield Rule(",".join(part.strip() for part in prelude.split(",")), _tight(body))
        position = closing + 1


def _closing(css: str, opening: int) -> int:
    depth = 0
    for match in re.finditer(r"[{}]", css[opening:]):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return opening + match.start()
    raise ValueError(f"a brace opened at {opening} is never closed: {css[opening - 80 : opening]}")


def _tight(body: str) -> str:
    return re.sub(r"\s*([;{}])\s*", r"\1", re.sub(r"(?<=[\w-]):\s+", ":", " ".join(body.split()))).strip(";")


def _kept(rules: Iterable[Rule], used: set[str]) -> Iterator[Rule]:
    names = " ".join(used)
    for rule in rules:
        if rule.inner:
            if inner := tuple(_kept(rule.inner, used)):
                yield Rule(rule.prelude, "", inner)
        elif rule.prelude.startswith("@keyframes"):
            if rule.prelude.split()[-1].split("-")[0] in names:
                yield rule
        elif selectors := [part for part in _split(rule.prelude) if used.issuperset(_CLASS.findall(part))]:
            yield Rule(",".join(selectors), rule.body)


def _without_unread(css: str, also: str) -> str:
    read = set(_VARIABLE_USE.findall(css + also))
    return _VARIABLE_SET.sub(lambda match: match[0] if match[1] in read else "", css)


def _split(prelude: str) -> list[str]:
    """Return a selector list's parts; commas within parentheses do not part them."""
    return re.split(r",(?![^(]*\))", prelude)


def _selectors(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield from _selectors(rule.inner) if rule.inner else ("" if rule.prelude.startswith("@") else rule.prelude,)


if __name__ == "__main__":
    (LOOK / "built" / "bootstrap.css").write_text(build(), "utf-8")
