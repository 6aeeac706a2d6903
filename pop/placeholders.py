"""Settings that are command lines and addresses: split into words, placeholders filled in."""

import shlex
import string
from collections.abc import Callable, Mapping
from typing import Any

from pop.errors import BadSetting
from pop.health import COMMAND, read_check

Bad = Callable[[str], BadSetting]


def words(type_name: str, setting: str, line: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Split a command line as a shell would, then fill in placeholders, each within its word.

    @raise BadSetting: unbalanced quotes, no word at all, or a placeholder without value.
    """
    bad = _bad(type_name, setting, line)
    try:
        found = shlex.split(line)
    except ValueError as error:
        raise bad(f"it cannot be split: {error}") from error
    if not found:
        raise bad("it is empty")
    return tuple(_fill(word, known, bad) for word in found)


def check(type_name: str, setting: str, text: str, known: Mapping[str, Any]) -> str:
    """Fill in the description of a health check; in a command, each placeholder within its word.

    @raise BadSetting: a placeholder has no value, or what comes out describes no check.
    """
    if text.startswith(COMMAND):
        argv = words(type_name, setting, text.removeprefix(COMMAND), known)
        return COMMAND + shlex.join(argv)
    filled = _fill(text, known, _bad(type_name, setting, text))
    try:
        read_check(filled)
    except ValueError as error:
        raise _bad(type_name, setting, filled)(str(error)) from error
    return filled


def _bad(type_name: str, setting: str, line: str) -> Bad:
    def bad(reason: str) -> BadSetting:
        return BadSetting(type=type_name, setting=setting, value=repr(line), reason=reason)

    return bad


def _fill(text: str, known: Mapping[str, Any], bad: Bad) -> str:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise bad(f"it cannot be split: {error}") from error
    return "".join(_filled(part, known, bad) for part in parsed)


def _filled(part: tuple[Any, ...], known: Mapping[str, Any], bad: Bad) -> str:
    """A piece of a word: literal text, then perhaps a placeholder."""
    literal, name, spec, conversion = part
    if name is None:
        return str(literal)
    if spec or conversion or name not in known or known[name] is None:
        raise bad(f"there is no value for {{{name}}}; a brace itself is written twice")
    if not isinstance(known[name], str | int | float):
        raise bad(f"{{{name}}} is neither a text nor a number")
    return f"{literal}{known[name]}"
