"""The laws of CONTRIBUTING.md that import contracts can't say."""

import ast
import re

from tests.architecture.source import PACKAGES, ROOT, imported, modules, nodes

_IMPORTS = (ast.Import, ast.ImportFrom)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WALL_READERS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
    "time.localtime", "time.gmtime",
}  # fmt: skip
_CLOCKS = {"cloud/core/clock.py", "edge/clock.py"}
_SHAPELESS = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager|bases?)\.py$")


def test_a_slices_tables_are_its_own() -> None:
    strangers = [
        f"{path}:{node.lineno} {name}"
        for path, node in nodes(_IMPORTS)
        for name in imported(node)
        if (slice_name := re.fullmatch(r"cloud\.(\w+)\.tables", name))
        and not path.startswith((f"cloud/{slice_name[1]}/", "cloud/migrations/"))
    ]
    assert strangers == []


def test_no_relationship_crosses_slices() -> None:
    assert [path for path, node in nodes(ast.Name) if node.id == "relationship"] == []


def test_imports_stand_at_the_top() -> None:
    hidden = [
        f"{path}:{inner.lineno}"
        for path, function in nodes(_FUNCTIONS)
        for inner in ast.walk(function)
        if isinstance(inner, _IMPORTS)
    ]
    assert hidden == []


def test_no_import_hides_behind_type_checking() -> None:
    assert [path for path, node in nodes(ast.Name) if node.id == "TYPE_CHECKING"] == []


def test_only_the_clocks_read_the_wall() -> None:
    readers = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, node in nodes(ast.Attribute)
        if ast.unparse(node).removeprefix("datetime.datetime.") in _WALL_READERS
        or ast.unparse(node).removeprefix("datetime.") in _WALL_READERS
        if path not in _CLOCKS
    ]
    assert readers == []


def test_only_the_boundary_commits() -> None:
    commits = [
        f"{path}:{node.lineno}"
        for path, node in nodes(ast.Call)
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and path.startswith("cloud/")
        and path != "cloud/core/database.py"
    ]
    assert commits == []


def test_money_knows_no_float() -> None:
    """The name may stand only where a float is turned away: as what isinstance compares with."""
    guards = {
        id(part)
        for _, call in nodes(ast.Call)
        if ast.unparse(call.func) == "isinstance"
        for part in ast.walk(call.args[1])
    }
    floats = [
        f"{path}:{node.lineno}"
        for path, node in nodes((ast.Name, ast.Constant))
        if path.startswith(("cloud/core/money", "cloud/billing/", "cloud/ledger/"))
        and (getattr(node, "id", None) == "float" or isinstance(getattr(node, "value", None), float))
        and id(node) not in guards
    ]
    assert floats == []


def test_every_query_names_its_organisation() -> None:
    """A statement in a slice that names no organisation must say why beside it: `# any organisation: ...`.

    The series stores know points alone, whose ids come out of queries that do.
    """
    silent = []
    for path, function in nodes(_FUNCTIONS):
        if not re.fullmatch(r"cloud/\w+/\w+\.py", path) or path.startswith(
            ("cloud/core/", "cloud/app/", "cloud/web/", "cloud/fleet/series_", "cloud/migrations/")
        ):
            continue
        text = "\n".join((ROOT / path).read_text().splitlines()[function.lineno - 1 : function.end_lineno])
        asks = re.search(r"(?<![\w.])(select|update|delete)\(", text)
        if asks and "organisation_id" not in text and "# any organisation: " not in text:
            silent.append(f"{path}:{function.lineno} {function.name}")
    assert silent == []


def test_modules_are_named_for_a_noun() -> None:
    assert [path for path in modules() if _SHAPELESS.search(path)] == []


def test_packages_export_nothing_from_their_front() -> None:
    loud = [
        path
        for path, module in modules().items()
        if path.endswith("__init__.py") and (ast.get_docstring(module) is None or len(module.body) != 1)
    ]
    assert loud == []


def test_every_module_opens_with_a_sentence() -> None:
    assert [path for path, module in modules().items() if not ast.get_docstring(module)] == []


def test_the_top_level_holds_what_it_should() -> None:
    assert all((ROOT / package / "__init__.py").is_file() for package in PACKAGES)
