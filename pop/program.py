"""Programs: what service types give to be run, and the bases to write a type on."""

import json
import os
import sys
from collections.abc import Awaitable, Mapping
from dataclasses import field
from functools import cache
from typing import Any, ClassVar

from twisted.plugin import IPlugin
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from pop.frozen import frozen
from pop.interfaces import IServiceType, ISettings
from pop.model import Instance, dump
from pop.policy import Checks, Limits, Logs, Restarts
from pop.recipe import Recipe


@frozen
class Program:
    """What a service type wants executed.

    @ivar argv: the program, looked up on the C{PATH} if it has no slash, and its arguments.
    @ivar environment: variables on top of the settings' and the agent's.
    @ivar stdin: what it reads from its standard input; the place for what must not be seen in a
        process list.
    @ivar notifies: whether it says that it is ready through C{NOTIFY_SOCKET}, as C{sd_notify(3)}
        does; otherwise it counts as ready when it runs.
    @ivar state: what its state node says while it is ready and has said nothing else.
    @ivar recipe: of the Python environment that it runs in, whose programs come first on its
        C{PATH}; it is built before the program is started.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    notifies: bool = False
    state: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe | None = None


@frozen
class Launch:
    """A program with all that pop adds; two that compare equal need no restart.

    @ivar directory: where it works; L{None} for a directory of the service's own.
    @ivar group, groups: instead of the user's own.
    @ivar umask: L{None} for the agent's.
    @ivar sockets: endpoint descriptions, in the order of their descriptors.
    @ivar processes: how many run beside each other; each is launched by itself.
    @ivar stop_signal: a signal's name without SIG.
    @ivar grace_period: seconds from that signal to SIGKILL.
    @ivar start_timeout: seconds until it must be ready.
    @ivar stop_after: seconds without ZooKeeper after which it is stopped; L{None} for never.
    @ivar generation: the restart generation of the service's target.
    @ivar restart_batch: on how many machines at a time that is begun; 0 for all at once.
    @ivar roll_batch: the same of any other change. Neither is a reason to restart.
    """

    program: Program
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str | None = None
    user: str | None = None
    group: str | None = None
    groups: tuple[str, ...] = ()
    umask: int | None = None
    limits: Limits = field(default_factory=Limits)
    sockets: tuple[str, ...] = ()
    processes: int = 1
    stop_signal: str = "TERM"
    grace_period: float = 10.0
    start_timeout: float = 60.0
    restarts: Restarts = field(default_factory=Restarts)
    checks: Checks = field(default_factory=Checks)
    logs: Logs = field(default_factory=Logs)
    stop_after: float | None = None
    generation: int = 0
    restart_batch: int = field(default=0, compare=False)
    roll_batch: int = field(default=0, compare=False)

    def at_first(self) -> "tuple[bool, Mapping[str, Any] | None]":
        """Whether its process counts as ready as soon as it runs, and with which state."""
        ready = not self.program.notifies and self.checks.readiness is None
        return ready, dict(self.program.state) if ready else None


@frozen
class Left:
    """A process that a predecessor of this agent has started, and could not stop.

    @ivar name: of its slot.
    @ivar age: seconds since it was started.
    @ivar ready, state: what it had said of itself when the predecessor last heard of it.
    @ivar lives: whether it still does.
    """

    name: str
    launch: Launch
    pid: int
    age: float = 0.0
    ready: bool = False
    state: Mapping[str, Any] | None = None
    lives: bool = True


@implementer(IServiceType, IPlugin)
class ProgramType:
    """Base of the service types that run a program: override L{program}."""

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    settings: ClassVar[InterfaceClass] = ISettings

    def program(self, settings: Any, instance: Instance) -> Program:
        """See L{IServiceType.program}."""
        raise NotImplementedError(f"{type(self).__qualname__} does not say what to execute")


class PythonType(ProgramType):
    """Base of the service types that are Python: override L{start}.

    The service runs in a child process of its own, on a reactor of its own, so nothing that it
    does can stall the agent. The process ends when that reactor stops.
    """

    def program(self, settings: Any, instance: Instance) -> Program:
        """A Python process that finds this type again and calls its L{start}."""
        return Program(
            # -P: a file in its working directory does not stand in for a module.
            argv=(sys.executable, "-P", "-m", "pop.protocols.child", self.name),
            stdin=dump({"settings": settings.as_json(), "path": module_path()}),
            notifies=True,
        )

    def start(self, reactor: Any, settings: Any) -> Awaitable[Mapping[str, Any]]:
        """Bring the service up in this process; a coroutine or a Deferred.

        @param reactor: the child's; add shutdown triggers to it for what must be ended in order.
        @return: what the state node will say; JSON.
        """
        raise NotImplementedError(f"{type(self).__qualname__} does not say how to start")


@cache
def module_path() -> tuple[str, ...]:
    """Where this process finds modules: a service type may be anywhere there."""
    return tuple(os.path.abspath(entry) for entry in sys.path)


def read_hosted(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """What L{PythonType.program} put into the child's standard input: settings and module path."""
    found = json.loads(data)
    return found["settings"], found["path"]
