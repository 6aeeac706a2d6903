"""Any program, by its command line."""

from typing import Any

from zope.schema import Bool, Int, TextLine

from pop.interfaces import ISettings
from pop.model import Instance
from pop.placeholders import words
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


command = Command()
