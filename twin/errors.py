"""Errors that a person can mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """The input is wrong: the message says where, what was found and what is allowed.

    The command line prints the message alone and exits with status 2.
    """


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Suggest the nearest allowed word, as the end of a sentence, or nothing.

    >>> did_you_mean("preocding", ["precoding", "receiver"])
    '; did you mean "precoding"?'
    >>> did_you_mean("zzz", ["precoding"])
    ''
    """
    near = get_close_matches(found, list(allowed), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def listed(words: Iterable[object]) -> str:
    """Join words as a message shows them.

    >>> listed(["b", "a"])
    '"b", "a"'
    """
    return ", ".join(f'"{word}"' for word in words)
