"""The near end of a shell: reads lines at a terminal or in a file, and gives them to the far end.

It blocks, as line editing does, and so runs in a thread of its own, or in a program of its own.
"""

import json
import readline
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TextIO

from pop.components.shell.conversation import PROMPT, Reply
from pop.components.shell.server import HELLO

LONGEST_HISTORY = 1000


class Far(Protocol):
    """The far end: a shell."""

    def take(self, line: str) -> Reply:
        """Carry out a line; what it writes has been written when this returns."""

    def complete(self, text: str) -> list[str]:
        """What may stand in place of the last word."""


class Gone(Exception):
    """The shell is gone; with what it said, if that was no answer."""


class Distant:
    """A shell at a socket.

    @param write: takes what its commands write.
    """

    def __init__(self, connection: socket.socket, write: Callable[[str], object]) -> None:
        self._socket = connection
        self._lines = connection.makefile("rb")
        self._write = write
        with suppress(OSError):  # who is let go at once may still read why
            self._socket.sendall(HELLO + b"\n")
        self._replied()

    def take(self, line: str) -> Reply:
        """Carry out a line there; an interrupt ends that, and what comes of it is waited for."""
        with _interrupts(lambda: self._send({"cancel": True})):
            self._send({"line": line})
            return self._replied()

    def complete(self, text: str) -> list[str]:
        """Ask there."""
        with _interrupts(lambda: None):
            self._send({"complete": text})
            choices = self._read()["choices"]
        return [str(choice) for choice in choices] if isinstance(choices, list) else []

    def _replied(self) -> Reply:
        while "out" in (message := self._read()):
            self._write(str(message["out"]))
        return Reply(str(message["prompt"]), bool(message["well"]), bool(message["end"]))

    def _send(self, message: dict[str, object]) -> None:
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise Gone from error

    def _read(self) -> dict[str, object]:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise Gone from error
        if not line:
            raise Gone
        try:
            message: dict[str, object] = json.loads(line)
        except ValueError as error:  # written for a person
            raise Gone(line.decode(errors="replace").strip().rstrip(".")) from error
        return message


@contextmanager
def _interrupts(deed: Callable[[], object]) -> Iterator[None]:
    """Have an interrupt do something, and not break off an exchange half-way."""
    if threading.current_thread() is not threading.main_thread():
        yield  # interrupts come to the main thread only
        return
    before = signal.signal(signal.SIGINT, lambda *ignored: deed())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def converse(far: Far, history: Path | None = None) -> int:
    """Let somebody at the terminal use a shell, until they quit; the exit status.

    @param history: where lines are kept from one time to the next.
    """
    _edit(far, history)
    reply = Reply(PROMPT, True)
    while not reply.end:
        try:
            line = input(reply.prompt)
            if history is not None and line.strip():
                _keep(history)
            reply = far.take(line)
        except EOFError:
            print()
            break
        except KeyboardInterrupt:
            print()
    return 0


def carry_out(far: Far, lines: Iterator[str] | TextIO) -> int:
    """Have lines carried out up to the first that fails; the exit status."""
    for line in lines:
        reply = far.take(line.rstrip("\n"))
        if not reply.well:
            return 1
        if reply.end:
            break
    return 0


def _edit(far: Far, history: Path | None) -> None:
    choices: list[str] = []

    def completer(text: str, state: int) -> str | None:
        if state == 0:
            choices[:] = far.complete(readline.get_line_buffer()[: readline.get_endidx()])
        return choices[state] + " " * (len(choices) == 1) if state < len(choices) else None

    readline.set_completer(completer)
    readline.set_completer_delims(" \t\n")
    readline.parse_and_bind("tab: complete")
    readline.parse_and_bind("set show-all-if-ambiguous on")
    if history is not None:
        _recall(history)


def _recall(history: Path) -> None:
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch(mode=0o600)
        readline.read_history_file(history)
        readline.set_history_length(LONGEST_HISTORY)
        readline.write_history_file(history)
    except OSError as error:
        print(f"The history cannot be read: {error}", file=sys.stderr)


def _keep(history: Path) -> None:
    """Now: nobody knows how this ends."""
    try:
        readline.append_history_file(1, history)
    except OSError as error:
        print(f"The history cannot be kept: {error}", file=sys.stderr)
