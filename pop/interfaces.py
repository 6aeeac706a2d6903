"""Where something may be replaced."""

import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface
from zope.schema import Choice, Dict, Float, Text, TextLine, ValidationError

if TYPE_CHECKING:
    from twisted.internet.protocol import ProcessProtocol

    from pop.model import Instance
    from pop.program import Launch, Program

STOP_SIGNALS = tuple(
    name
    for name in ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH", "KILL")
    if hasattr(signal, f"SIG{name}")
)


class NotAVariable(ValidationError):
    """it should be a variable's name, without = and control characters"""


class NotAValue(ValidationError):
    """it should have no NUL character"""


class NotAbsolute(ValidationError):
    """it should be an absolute path"""


def _variable(name: str) -> bool:
    if "=" in name or not name.isprintable():
        raise NotAVariable(name)
    return True


def _passable(text: str) -> bool:
    if "\0" in text:
        raise NotAValue(text)
    return True


def _absolute(path: str) -> bool:
    """Where the agent was started is no place to start from."""
    if not path.startswith("/") or not path.isprintable():
        raise NotAbsolute(path)
    return True


class ISettings(Interface):
    """The settings of every service, whatever its type."""

    environment = Dict(
        title="Environment variables, on top of the agent's",
        key_type=TextLine(min_length=1, constraint=_variable),
        value_type=Text(constraint=_passable),
        default={},
        required=False,
    )
    directory = TextLine(
        title="Working directory; a private one under the state directory unless given",
        constraint=_absolute,
        required=False,
    )
    user = TextLine(title="System user to run as; the agent's unless given", required=False)
    stop_signal = Choice(title="Signal that asks it to stop", values=STOP_SIGNALS, default="TERM")
    grace_period = Float(
        title="Seconds it may take to stop before it is killed", min=0.0, max=86400.0, default=10.0
    )


class IServiceType(Interface):
    """Something that knows how to run a service: a plugin in a module under C{pop/services/}.

    Subclass L{pop.program.ProgramType} or L{pop.program.PythonType} rather than start from here.
    """

    name = Attribute("The name that C{pop add} takes; unique, a L{str}.")
    summary = Attribute("One sentence on what it runs, a L{str}.")
    settings = Attribute("An interface of C{zope.schema} fields that extends L{ISettings}.")

    def program(settings: Any, instance: "Instance") -> "Program":
        """What to execute.

        Pure: the same settings must give an equal program, since a difference is a restart.

        @param settings: an object with one attribute for each field, validated.
        @raise pop.errors.PopError: these settings cannot be run.
        """


class ISpawner(Interface):
    """What turns a launch into a process."""

    def spawn(name: str, launch: "Launch", protocol: "ProcessProtocol") -> "IProcess":
        """Start a process in a session of its own.

        C{protocol.processEnded} is called once nothing of that session is left, and
        C{protocol.notified} (if the program notifies) with what it says of itself.

        @raise pop.errors.NotSpawned: with the reason, when it cannot be started at all.
        """


class IProcess(Interface):
    """A process that runs, with all that it started."""

    pid = Attribute("The process id, an L{int}.")

    def stop(signal: str) -> None:
        """Ask all of it to stop, by a signal's name without SIG."""

    def kill() -> None:
        """End all of it now."""


class ISettingsObject(Interface):
    """Settings that were validated: an attribute for each field of the type's interface."""

    def as_json() -> Mapping[str, Any]:
        """All values, defaults included."""
