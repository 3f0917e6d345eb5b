"""``help()`` of a record: its fields with type, default and meaning.

Every field of a record has a string below it that says shape, unit and meaning. Python drops these strings; they are
read from the source when a docstring is first asked for, so that importing a room costs nothing.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

Record = TypeVar("Record")


def documented(record: type[Record]) -> type[Record]:
    """Decorate a class: its docstring lists the fields below its own text."""
    if type(record) is type:
        record.__doc__ = _FieldDocs(record.__doc__)  # type: ignore[assignment]  # a descriptor that returns a string
    else:  # pydoc reads the attribute of a class with a metaclass past its descriptor
        record.__doc__ = _with_fields(record.__doc__, record)
    return record


def _with_fields(text: str | None, record: type) -> str:
    """A docstring with the fields of the record below it."""
    own = inspect.cleandoc(text or "")
    fields = "\n".join(_lines(record))
    return f"{own}\n\nFields\n------\n{fields}" if fields else own


class _FieldDocs:
    """A class docstring that is completed when it is first read."""

    def __init__(self, text: str | None) -> None:
        self._text = text
        self._completed: dict[type, str] = {}

    def __get__(self, instance: object, owner: type) -> str:
        if owner not in self._completed:
            self._completed[owner] = _with_fields(self._text, owner)
        return self._completed[owner]


def _lines(record: type) -> Iterator[str]:
    """Name, type and default of each field, and below it its meaning."""
    for name, (declared, meaning) in documented_fields(record).items():
        yield f"{name} : {declared}"
        if meaning:
            yield textwrap.indent(meaning, "    ")


def documented_fields(record: type) -> dict[str, tuple[str, str]]:
    """Type with default, and meaning, of each public field by its name; the fields of base classes first.

    The meaning is empty where the source has none, and the result where there is no source.
    """
    found: dict[str, tuple[str, str]] = {}
    for base in reversed(record.__mro__):
        if base is not object and "__annotations__" in vars(base):
            found.update(_own_fields(base))
    return found


def _own_fields(record: type) -> dict[str, tuple[str, str]]:
    body = _classes(record.__module__).get(record.__qualname__, ())
    return (
        {
            statement.target.id: (_declared(statement), _string(following))
            for statement, following in zip(body, [*body[1:], None], strict=True)
            if isinstance(statement, ast.AnnAssign) and _is_field(statement)
            if isinstance(statement.target, ast.Name)
        }
        if body
        else {}
    )


@cache
def _classes(module: str) -> dict[str, list[ast.stmt]]:
    """Bodies of the classes at the top of a module, by name; empty where there is no source."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    return {node.name: node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _is_field(statement: ast.AnnAssign) -> bool:
    public = isinstance(statement.target, ast.Name) and not statement.target.id.startswith("_")
    return public and not ast.unparse(statement.annotation).startswith("ClassVar")


def _declared(statement: ast.AnnAssign) -> str:
    default = "" if statement.value is None else f" = {ast.unparse(statement.value)}"
    return ast.unparse(statement.annotation) + default


def _string(statement: ast.stmt | None) -> str:
    """The text of a statement that is a string; empty for any other."""
    value: Any = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
