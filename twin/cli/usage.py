"""Command groups, and messages of invalid command lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from twin.errors import InputError, did_you_mean, listed


class Commands(TyperGroup):
    """A group of commands that suggests the nearest name for a misspelt command."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Refuse a line without a command."""
        if not args:
            raise InputError(f"{_within(ctx)}a command is missing (known: {listed(self.commands)})\n{see_help(ctx)}")
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Refuse an unknown command."""
        name = args[0]
        if name not in self.commands:
            raise InputError(
                f'{_within(ctx)}unknown command "{name}"{did_you_mean(name, self.commands)}'
                f" (known: {listed(self.commands)})\n{see_help(ctx)}"
            )
        return super().resolve_command(ctx, args)


def _within(context: Any) -> str:
    """The command as the prefix of a message; empty for the program itself."""
    words = context.command_path.partition(" ")[2]
    return f"{words}: " if words else ""


def see_help(context: Any) -> str:
    """The command that prints help."""
    return f"see: {context.command_path} --help"


def usage_message(error: Exception) -> str | None:
    """The message of an invalid command line; None means that the error is of another kind.

    The classes of these errors are defined by typer or click, depending on the version; attributes identify them.
    """
    context = getattr(error, "ctx", None)
    if getattr(error, "exit_code", None) != 2 or not hasattr(error, "format_message"):
        return None
    if context is None:
        return _plain_message(error)
    return f"{_within(context)}{_reason(error, context)}\n{see_help(context)}"


def _reason(error: Any, context: Any) -> str:
    if (option := getattr(error, "option_name", None)) and type(error).__name__ == "NoSuchOption":
        known = [word for parameter in context.command.params for word in parameter.opts if word.startswith("-")]
        return f'unknown option "{option}"{did_you_mean(option, known)} (known: {listed(known)})'
    if type(error).__name__ == "MissingParameter" and error.param is not None:
        parameter = error.param
        is_option = parameter.param_type_name == "option"
        name = parameter.opts[0] if is_option else parameter.metavar or parameter.name.upper()
        return f"{name} is missing"
    return _plain_message(error)


def _plain_message(error: Any) -> str:
    message = str(error.format_message()).rstrip(".")
    if type(error).__name__ == "BadOptionUsage" and "requires an argument" in message:
        return f"{error.option_name}: needs a value"
    return message[:1].lower() + message[1:]


def whole_number(option: str) -> Callable[[Any], int]:
    """A parser for the value of an option that is an integer."""

    def read(text: Any) -> int:
        try:
            return int(text)
        except ValueError:
            raise InputError(f'{option}: found "{text}", must be a whole number') from None

    return read


def real_number(option: str) -> Callable[[Any], float]:
    """A parser for the value of an option that is a number."""

    def read(text: Any) -> float:
        try:
            return float(text)
        except ValueError:
            raise InputError(f'{option}: found "{text}", must be a number') from None

    return read
