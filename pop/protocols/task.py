"""The process of a task: C{python -m pop.protocols.task}, started by an agent.

A task that is a coroutine runs on a reactor, and is cancelled by SIGTERM; any other is interrupted
by it with L{SystemExit}, so that what is in C{finally} is done.
"""

import contextlib
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any, NoReturn

import click

from pop.cli.arguments import read_arguments
from pop.errors import PopError
from pop.protocols.control import Request, progress, record
from pop.settings import validate
from pop.tasks import find_task

SELDOM = 0.1
"""Seconds between two words on how far it is, unless it is something new."""
ENDED = 128 + signal.SIGTERM


class Performance:
    """One run of a task; see L{pop.tasks.Run}."""

    def __init__(self, control: socket.socket, request: Request, settings: Any) -> None:
        self.service = request.service
        self.machine = request.machine
        self.settings = settings
        self.directory = Path.cwd()
        self.state_directory = Path(request.state_directory)
        self._control = control
        self._said = (-SELDOM, "")

    def progress(self, done: float, total: float | None = None, what: str = "") -> None:
        """Say how far it is."""
        now = time.monotonic()
        when, before = self._said
        if now - when >= SELDOM or what != before or done == total:
            self._said = (now, what)
            self._send(progress(done, total, what))

    def record(self, settings: Mapping[str, Any]) -> None:
        """Have settings be changed once it has ended well."""
        self._send(record(settings))

    def _send(self, line: bytes) -> None:
        try:
            self._control.sendall(line)
        except OSError as error:
            raise SystemExit(f"The agent that started this task is gone: {error}") from error


def perform(control: socket.socket) -> int:
    """Do what is asked; gives the exit status."""
    request = Request.decode(_read_line(control))
    sys.path += [entry for entry in request.path if entry not in sys.path]
    from pop.catalogue import load_types  # now, since it looks where the path leads

    kind = load_types().type(request.type)
    task = find_task(kind, request.task)
    settings = validate(kind.name, kind.settings, request.settings)
    arguments = read_arguments(request.service, task, list(request.arguments))
    run = Performance(control, request, settings)
    signal.signal(signal.SIGTERM, _ended)
    threading.Thread(target=_end_with_agent, args=(control,), daemon=True).start()
    result = getattr(kind, task.method)(run, **arguments)
    result = _wait_for(result) if isawaitable(result) else result
    return result if isinstance(result, int) else 0


def _ended(*_: object) -> NoReturn:
    raise SystemExit(ENDED)


def _end_with_agent(control: socket.socket) -> None:
    """An agent that was killed can end nothing, and nobody hears any more of what is done here."""
    with contextlib.suppress(OSError):
        while control.recv(1 << 16):
            pass
    os.killpg(0, signal.SIGTERM)


def _wait_for(work: Any) -> Any:
    """The result of a coroutine or a Deferred, on a reactor."""
    from twisted.internet import reactor
    from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
    from twisted.internet.error import ReactorNotRunning
    from twisted.python.failure import Failure

    outcome: list[Any] = []

    def begin() -> None:
        done: Deferred[Any] = ensureDeferred(work)
        reactor.addSystemEventTrigger("before", "shutdown", cancel, done)
        done.addBoth(outcome.append).addBoth(lambda _: end())

    def cancel(done: Deferred[Any]) -> Deferred[Any]:
        done.cancel()
        return done

    def end() -> None:
        with contextlib.suppress(ReactorNotRunning):  # it is on its way out already
            reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run()
    [result] = outcome
    if isinstance(result, Failure):
        if result.check(CancelledError):
            raise SystemExit(ENDED)
        result.raiseException()
    return result


def _read_line(control: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        data = control.recv(1 << 16)
        if not data:
            raise SystemExit("This is started by an agent: pop run SERVICE TASK")
        line += data
    return line


def _take_control() -> socket.socket:
    """The socket that is our standard input; from now on that is empty, and our children's too."""
    control = socket.socket(fileno=fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 3))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    return control


def main() -> None:
    """Do one task, and exit with its status."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a real file
    try:
        status = perform(_take_control())
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except PopError as error:
        print(f"pop: {error}", file=sys.stderr)
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
