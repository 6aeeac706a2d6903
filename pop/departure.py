"""How an agent ends: with its services, without them, or by becoming the version installed now.

The last is C{execve(2)}: the same process, so that its children stay its children and nobody sees
it vanish; but it begins from nothing, as after C{kill -9}, and goes on by what is noted on disk.
Signals ask for it: SIGTERM and SIGINT, SIGQUIT, and SIGUSR2 (nginx has the last two likewise).
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.utils import getProcessOutputAndValue
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.files import File
from pop.frozen import frozen
from pop.sockets import Sockets
from pop.statedir import StateDirectory
from pop.trouble import said

LONGEST_CHECK = 60.0
"""Seconds that the installed version may take to show that it can be run."""

HEEDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2)

HANDOVER: Final = "POP_HANDOVER"
"""The variable that tells a process which descriptors it had before it became what it is."""


@frozen
class Inheritance:
    """What goes from a process to what it becomes.

    @ivar lock: by which its state directory is held; L{None} if this is the first.
    @ivar sockets: as L{Sockets.export} gives them.
    """

    lock: int | None = None
    sockets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def take(cls, environment: dict[str, str]) -> "Inheritance":
        """Take it out of the environment, where it is nobody else's business.

        What another version of pop has put there besides is passed over.
        """
        try:
            found = json.loads(environment.pop(HANDOVER, "{}"))
            return cls(found.get("lock"), found.get("sockets", {}))
        except (ValueError, AttributeError):
            return cls()

    def give(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Put it there."""
        return {**environment, HANDOVER: json.dumps(vars(self))}


class Departure:
    """Ends one agent's process.

    @param command: what the process was started with: interpreter, options, arguments.
    @param servers: where ZooKeeper is.
    @param twistd: its options; none, if something else has built the agent.
    @ivar keeps_services: whether the services are to be left to the next agent.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        state_dir: StateDirectory,
        sockets: Sockets,
        servers: str,
        command: list[str],
        environment: Mapping[str, str],
        twistd: Mapping[str, Any],
    ) -> None:
        self.keeps_services = False
        self._reactor = reactor
        self._state_dir = state_dir
        self._sockets = sockets
        self._servers = servers
        self._command = command
        self._environment = environment
        self._twistd = twistd
        self._last: Callable[[], None] = state_dir.release
        self._checking = False
        self._becoming = False
        self._ending = False
        self._late: list[int] = []

    def prepare(self) -> None:
        """Heed the signals, as soon as the reactor has set its own."""
        self._reactor.callWhenRunning(self._heed)
        self._reactor.addSystemEventTrigger("after", "shutdown", lambda: self._last())

    def _heed(self) -> None:
        deeds = (self.stop, self.stop, self.leave, self.upgrade)
        for number, deed in zip(HEEDED, deeds, strict=True):
            signal.signal(number, partial(self._asked, deed))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEEDED)

    def _asked(self, deed: Callable[[], None], number: int, _: object) -> None:
        """A signal has come: do it, or leave it to what this process becomes."""
        if self._becoming:
            self._late.append(number)
        else:
            self._reactor.callFromThread(deed)

    def stop(self) -> None:
        """End, and all services with it; a stop that was asked for is no failure."""
        if self._reactor.running and not self._ending:
            self._ending = True
            self._reactor.stop()

    def leave(self) -> None:
        """End, and leave the services to the next agent with this state directory.

        An end that has begun goes on as it began.
        """
        self.keeps_services = self.keeps_services or not self._ending
        self.stop()

    def fail(self, error: Exception) -> None:
        """Say why the agent cannot do its work, and end with status 1 as soon as all is in order.

        What it found running goes on: it was no better off before, and the next agent may fare
        better. C{twistd} itself knows no status.
        """
        known = said(error, self._servers)
        if known is None:
            self._log.failure("The agent failed", failure=Failure(error))
        self._log.critical("{error}", error=known or error)
        print(f"pop: {known or error}", file=sys.__stderr__, flush=True)
        self._last = self._exit
        self.leave()

    def upgrade(self) -> None:
        """Become what is installed now, if that can be run; if it cannot, go on, and say why."""
        if not self._checking and self._reactor.running:
            self._checking = True
            Deferred.fromCoroutine(self._upgrade()).addErrback(
                lambda failure: self._log.failure("Cannot upgrade", failure=failure)
            )

    async def _upgrade(self) -> None:
        try:
            fault = await self._fault()
        finally:
            self._checking = False
        if self._ending:
            return
        if fault:
            self._log.error("Not upgraded: {fault}", fault=fault)
            File(self._state_dir.refusal).write(fault.encode())
        else:
            self._last, self._becoming = self._become, True
            self._log.info("Giving way to the installed version.")
            self.leave()

    async def _fault(self) -> str | None:
        """Why what is installed now cannot take over; L{None} if it can.

        Asked for help, it loads all its code, and takes or refuses the options.
        """
        if self._twistd and not self._twistd["nodaemon"]:
            return "twistd has put the agent into the background; use --nodaemon, or pop start"
        asked = getProcessOutputAndValue(
            self._command[0],
            [*self._command[1:], "--help"],
            env=dict(self._environment),
            reactor=self._reactor,
        )
        try:
            out, err, status = await asked.addTimeout(LONGEST_CHECK, self._reactor)
        except TimeoutError:
            return f"it did not answer within {LONGEST_CHECK:g} seconds"
        except Exception as error:  # a failure's value is a tuple where a signal ended it
            return f"it cannot be run ({error})"
        lines = (err or out).decode("utf-8", "replace").strip().splitlines()
        return None if status == 0 else (lines or [f"it exited with status {status}"])[-1]

    def _become(self) -> None:
        self._forget_pidfile()
        inheritance = Inheritance(self._state_dir.hand_over(), self._sockets.export())
        self._hand_on()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        environment = inheritance.give(self._environment)
        try:
            os.execve(self._command[0], self._command, environment)
        except OSError as error:
            print(f"pop: Cannot upgrade: {error}", file=sys.__stderr__, flush=True)
            self._exit()

    def _hand_on(self) -> None:
        """See that no signal is lost, nor ends a process that does not heed it yet.

        What is blocked waits, and is still blocked after C{execve}. A second wish for an upgrade is
        fulfilled by the first.
        """
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
        for number in self._late:
            signal.raise_signal(number)

    def _exit(self) -> NoReturn:
        self._forget_pidfile()
        os._exit(1)

    def _forget_pidfile(self) -> None:
        pidfile = self._twistd.get("pidfile")
        if pidfile and os.path.exists(pidfile):
            os.unlink(pidfile)
