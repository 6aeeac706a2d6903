"""Any program, by its command line."""

import shlex
import string
from typing import Any

from zope.schema import Bool, Int, TextLine

from pop.errors import BadSetting
from pop.interfaces import ISettings
from pop.model import Instance
from pop.program import Program, ProgramType


class ICommandSettings(ISettings):
    """How to run any program."""

    argv = TextLine(
        title="Command line, split as a shell would but run without one; {SETTING}, {service} and"
        " {machine} are filled in"
    )
    port = Int(title="Port it serves, for {port}", min=0, max=65535, required=False)
    notify = Bool(
        title="Whether it says through NOTIFY_SOCKET that it is ready",
        default=False,
        required=False,
    )


class Command(ProgramType):
    """A program that stays in the foreground."""

    name = "command"
    summary = "Any program, by its command line."
    settings = ICommandSettings

    def program(self, settings: Any, instance: Instance) -> Program:
        """The words of the command line, with every placeholder filled in."""
        known = {"service": instance.service, "machine": instance.machine, **settings.as_json()}
        return Program(
            argv=words(self.name, "argv", settings.argv, known),
            notifies=settings.notify,
            state={} if settings.port is None else {"port": settings.port},
        )


def words(type_name: str, setting: str, line: str, known: dict[str, Any]) -> tuple[str, ...]:
    """Split a command line as a shell would, then fill in placeholders, each within its word.

    @raise BadSetting: unbalanced quotes, no word at all, or a placeholder without value.
    """

    def bad(reason: str) -> BadSetting:
        return BadSetting(type=type_name, setting=setting, value=repr(line), reason=reason)

    try:
        found = shlex.split(line)
        parsed = [list(string.Formatter().parse(word)) for word in found]
    except ValueError as error:
        raise bad(f"it cannot be split: {error}") from error
    if not found:
        raise bad("it is empty")
    return tuple("".join(_filled(part, known, bad) for part in word) for word in parsed)


def _filled(part: tuple[Any, ...], known: dict[str, Any], bad: Any) -> str:
    """A piece of a word: literal text, then perhaps a placeholder."""
    literal, name, spec, conversion = part
    if name is None:
        return str(literal)
    if spec or conversion or name not in known or known[name] is None:
        raise bad(f"there is no value for {{{name}}}; a brace itself is written twice")
    if not isinstance(known[name], str | int | float):
        raise bad(f"{{{name}}} is neither a text nor a number")
    return f"{literal}{known[name]}"


command = Command()
