"""Every string that a person reads, found in templates and in Python, and what the catalogues hold of them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

from cloud.web.catalogues import CATALOGUES, read
from firmware_configs.look.purge import template_folders
from tests.architecture.source import ROOT, modules

_MARKS = {"_", "ngettext"}
_JINJA_TEXT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_JINJA_REST = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ATTRIBUTE = re.compile(r"""[\w-]+="[^"]*\"""")  # a macro may draw attributes alone
_LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_READ_ALOUD = {"aria-label", "title", "placeholder", "alt", "data-on", "data-off", "data-words"}
_NOT_WORDS = {"script", "style", "kbd", "code"}
_NAMES = {"Gatehouse"}
_NOT_SHOWN = {"key", "class", "href", "id", "icon", "name", "autocomplete"}


@dataclass(frozen=True, slots=True)
class Use:
    """A catalogue id and where it is used."""

    id: str
    where: str


def templates() -> list[Path]:
    """Return every template and macro file."""
    return [page for folder in template_folders() for page in sorted(folder.rglob("*.html"))]


def used() -> list[Use]:
    """Return every use of a catalogue id, in templates, by mark in Python, and as an error's sentence."""
    return [*_in_templates(), *_in_python()]


def catalogued(locale: str) -> dict[str, list[tuple[str, ...]]]:
    """Return by id all texts that a language's areas give it."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for file in sorted((CATALOGUES / locale).glob("*.po")):
        for key, texts in read(file).items():
            found.setdefault(key, []).append(texts)
    return found


def bare_texts(template: str) -> list[str]:
    """Return words of a template that go through no catalogue."""
    reader = _Words()
    reader.feed(_JINJA_REST.sub("", _JINJA_TEXT.sub("\0", template)))
    return [text for text in reader.found if _LETTERS.search(text) and text not in _NAMES]


def literal_arguments(template: str) -> list[str]:
    """Return words that a template hands to a macro without asking the catalogue."""
    tree = Environment(extensions=["jinja2.ext.do"], autoescape=True).parse(template)
    return [text for call in tree.find_all(nodes.Call) if _is_macro(call) for text in _literals(call)]


def chinese_in_python() -> list[str]:
    """Return string constants of pages' Python that hold Chinese, docstrings left out; a slice may hold it as data."""
    return [
        f"{path}:{node.lineno} {node.value}"
        for path, module in modules().items()
        if path.startswith(("cloud/web/", "cloud/screens/", "cloud/api/"))
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CHINESE.search(node.value)
        if node not in _docstrings(module)
    ]


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NOT_WORDS:
            self._silent.append(tag)
        self.found += [value for name, value in attrs if name in _READ_ALOUD and value]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found += [part.strip(" ·\n") for part in _ATTRIBUTE.sub("\0", data).split("\0") if part.strip()]


def _in_templates() -> Iterator[Use]:
    environment = Environment(extensions=["jinja2.ext.do"], autoescape=True)
    for page in templates():
        tree = environment.parse(page.read_text("utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in _MARKS and call.args:
                for literal in call.args[0].find_all(nodes.Const) if _is_choice(call.args[0]) else call.args[:1]:
                    if isinstance(literal, nodes.Const):
                        yield Use(literal.value, f"{page.relative_to(ROOT)}:{call.lineno}")


def _is_choice(node: nodes.Node) -> bool:
    return isinstance(node, nodes.CondExpr)


def _in_python() -> Iterator[Use]:
    errors = _error_classes()
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                text = node.args[0]
                is_error = path.startswith("cloud/") and name in errors
                if (name == "_" or is_error) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield Use(text.value, f"{path}:{node.lineno}")


def composed_sentences() -> list[str]:
    """Return errors of the cloud whose sentence is put together where no catalogue can find it."""
    errors = _error_classes()
    return [
        f"{path}:{node.lineno}"
        for path, module in modules().items()
        if path.startswith("cloud/")
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors and node.args
        if isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]


def _error_classes() -> set[str]:
    """Return the names of GatehouseError and everything below it."""
    classes = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)})
        for path, module in modules().items()
        if path.startswith("cloud/")
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    ]
    known = {"GatehouseError"}
    while more := {name for name, bases in classes if bases & known} - known:
        known |= more
    return known


def _is_macro(call: nodes.Call) -> bool:
    node = call.node
    return (
        isinstance(node, nodes.Getattr)
        and isinstance(node.node, nodes.Name)
        and node.node.name == "ui"
        and (node.attr != "live")
    )


def _literals(call: nodes.Call) -> Iterator[str]:
    values = [*call.args, *(pair.value for pair in call.kwargs if pair.key not in _NOT_SHOWN)]
    for value in values:
        if isinstance(value, nodes.Const) and isinstance(value.value, str):
            text = value.value
            if _CHINESE.search(text) or re.match(r"[A-Z]", text) or (" " in text and not text.startswith(("/", "#"))):
                yield text


def _docstrings(module: ast.Module) -> set[ast.Constant]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.value
        for holder in ast.walk(module)
        if isinstance(holder, kinds)
        for node in holder.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


if __name__ == "__main__":
    held = catalogued("zh_Hans")
    for use in used():
        if use.id not in held:
            print(f"{use.where}: {use.id!r}")
