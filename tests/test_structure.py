"""Structure of the code: imports without circles, complete registries, short functions, described fields."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from tests.helpers.folders import ROOT

PACKAGE = ROOT / "twin"
TESTS = ROOT / "tests"
REGISTRIES = {
    "precoders": "twin.precoding",
    "policies": "twin.association",
    "path_losses": "twin.radio.channel.path_loss",
    "fadings": "twin.radio.channel.fading",
    "phase_errors": "twin.radio.synchronisation",
}
"""Package that exports each registry."""


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def place(file: Path, node: ast.stmt | ast.expr, name: str) -> str:
    return f"{file.relative_to(ROOT)}:{node.lineno} {name}"


# ------------------------------------------------------------------------------------------------------- imports


def imported(module: ast.Module) -> Iterator[str]:
    """Names of the modules that a test module imports, by scripts in its strings too."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=source, names=names, level=level):
                package = ".".join(["tests"] * (level > 0) + [source] * (source is not None))
                yield from (package, *(f"{package}.{alias.name}" for alias in names))
            case ast.Constant(value=str(text)):
                lines = re.findall(r"^\s*(?:from|import)\s+([\w.]+(?:\s+import\s+\w+)?)", text, flags=re.MULTILINE)
                yield from (re.sub(r"\s+import\s+", ".", line) for line in lines)


def of_test_modules(names: Iterator[str]) -> set[str]:
    return {name for name in names if name.startswith(("tests.test_", "tests.conftest"))}


@pytest.mark.parametrize("file", sorted(TESTS.glob("test_*.py")), ids=lambda file: file.stem)
def test_no_test_module_imports_another(file: Path) -> None:
    assert not of_test_modules(imported(tree(file))), "move what is shared into tests/helpers/"


@pytest.mark.parametrize(
    "source",
    [
        "import {room}.{module}",
        "from {room}.{module} import x",
        "from {room} import {module}",
        "from . import {module}",
        "from .{module} import x",
        "def f():\n    from {room}.{module} import x",
        "SCRIPT = '\\n    from {room}.{module} import x'",
        "SCRIPT = '\\n    from {room} import {module}'",
    ],
)
@pytest.mark.parametrize("module", ["conftest", "test_b"])
def test_every_way_of_importing_a_test_module_is_found(source: str, module: str) -> None:
    assert of_test_modules(imported(ast.parse(source.format(room="tests", module=module))))


def circles(graph: nx.DiGraph) -> list[str]:
    """One circle of each strongly connected component, with the component's size."""
    found = []
    for component in nx.strongly_connected_components(graph):
        if len(component) > 1:
            edges = nx.find_cycle(graph.subgraph(component), min(component))
            path = " -> ".join([*(edge[0] for edge in edges), edges[0][0]])
            found.append(f"{len(component)} modules: {path}")
    return sorted(found)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports under TYPE_CHECKING and re-exports by packages count like all others."""
    grimp = pytest.importorskip("grimp")
    built = grimp.build_graph("twin", exclude_type_checking_imports=False, cache_dir=None)
    graph = nx.DiGraph()
    for module in built.modules:
        graph.add_edges_from((module, other) for other in built.find_modules_directly_imported_by(module))
    assert graph.number_of_edges() > 100
    found = circles(graph)
    assert not found, "\n" + "\n".join(found)


def test_a_circle_is_reported_by_its_modules() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")])
    assert circles(graph) == ["3 modules: a -> b -> c -> a"]


def test_few_modules_stand_outside_the_rooms() -> None:
    loose = sorted(file.name for file in PACKAGE.glob("*.py"))
    assert len(loose) <= 13, loose


# ---------------------------------------------------------------------------------------------------- registries


def registered(registry: str) -> set[str]:
    """First arguments of all calls of ``<registry>.register`` in the package."""
    found = set()
    for file in modules():
        for node in ast.walk(tree(file)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="register")) if owner == registry:
                    name = ast.literal_eval(node.args[0])
                    assert name not in found, place(file, node, name)
                    found.add(name)
    return found


@pytest.mark.parametrize("registry", REGISTRIES)
def test_a_registry_is_complete_after_importing_the_package_alone(registry: str) -> None:
    code = f"import twin\nfrom {REGISTRIES[registry]} import {registry}\nprint(*{registry}.names())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = registered(registry)
    assert len(names) >= 3
    assert done.stdout.split() == sorted(names)


# ----------------------------------------------------------------------------------------------------- functions


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines after the one with ``def``, docstring excluded: signature lines that follow, comments and blanks count."""
    assert function.end_lineno is not None
    first = function.body[0]
    length = function.end_lineno - function.lineno
    if ast.get_docstring(function, clean=False) is not None:
        assert first.end_lineno is not None
        length -= first.end_lineno - first.lineno + 1
    return length


def test_body_lines_leave_out_the_docstring() -> None:
    (function,) = ast.parse('def f(\n    x,\n):\n    """One.\n\n    Two.\n    """\n    y = x\n    return y\n').body
    assert isinstance(function, ast.FunctionDef)
    assert body_lines(function) == 4  # the rest of the signature, and two statements


def test_functions_are_short() -> None:
    lengths = {
        place(file, node, node.name): body_lines(node)
        for file in modules()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    sizes = np.array(list(lengths.values()))
    assert np.median(sizes) <= 5
    assert np.percentile(sizes, 90) <= 18
    assert not {where: length for where, length in lengths.items() if length > 50}


# ------------------------------------------------------------------------------------------------------- records


def exported() -> set[str]:
    """Names in ``__all__`` of the rooms and of the packages in them."""
    names: set[str] = set()
    for file in PACKAGE.rglob("__init__.py"):
        for node in tree(file).body:
            match node:
                case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                    names |= set(ast.literal_eval(value))
    return names


def records() -> Iterator[tuple[Path, ast.ClassDef]]:
    """Dataclasses that a room exports."""
    names = exported()
    for file in modules():
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.ClassDef) and node.name in names and _is_record(node):
                yield file, node


def _is_record(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def fields_with_descriptions(record: ast.ClassDef) -> Iterator[tuple[ast.AnnAssign, bool]]:
    """Public fields of a record, and whether a string literal follows."""
    for number, statement in enumerate(record.body):
        if isinstance(statement, ast.AnnAssign) and not ast.unparse(statement.target).startswith("_"):
            match record.body[number + 1 : number + 2]:
                case [ast.Expr(value=ast.Constant(value=str()))]:
                    yield statement, True
                case _:
                    yield statement, False


def test_every_array_of_an_exported_record_is_described() -> None:
    arrays, bare = 0, []
    for file, record in records():
        for field, described in fields_with_descriptions(record):
            if "Array" in ast.unparse(field.annotation) and "PlanarArray" not in ast.unparse(field.annotation):
                arrays += 1
                bare += [] if described else [place(file, field, f"{record.name}.{ast.unparse(field.target)}")]
    assert arrays > 100
    assert not bare


def test_every_exported_record_says_what_it_is() -> None:
    bare = [place(file, record, record.name) for file, record in records() if not ast.get_docstring(record)]
    assert not bare
