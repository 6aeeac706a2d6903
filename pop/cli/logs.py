"""C{pop logs}: what a service's processes on this machine have written."""

import sys
import threading
from typing import BinaryIO

import click

from pop.cli.session import Session, pass_session
from pop.errors import NoLog
from pop.logs import LogReader, log_files
from pop.paths import check_name

LOOK_AGAIN = 0.1
"""Seconds between two looks at logs that are followed."""


@click.command("logs")
@click.argument("service")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many of the last lines of each process.  [default: 100]",
)
@click.option("--all", "everything", is_flag=True, help="All lines there are.")
@pass_session
def logs_(
    session: Session, service: str, follow: bool, lines: int | None, everything: bool
) -> None:
    """Print what SERVICE wrote on this machine, rotated logs included."""
    if everything and lines is not None:
        raise click.UsageError("Give either --lines or --all.")
    directory = session.configuration.state_dir.path / "log"
    found = log_files(directory, check_name("service", service))
    if not found:
        raise NoLog(service=service, directory=directory)
    last = None if everything else 100 if lines is None else lines
    output = sys.stdout.buffer
    voices = [
        _Voice(LogReader(path, last), slot if len(found) > 1 else None, output)
        for slot, path in found
    ]
    for voice in voices:
        voice.begin()
        if not follow:
            voice.end()
    output.flush()
    if follow:
        _follow(voices, output)


def _follow(voices: list["_Voice"], output: BinaryIO) -> None:
    pause = threading.Event()
    while True:
        if any([voice.go_on() for voice in voices]):
            output.flush()
        else:
            pause.wait(LOOK_AGAIN)


class _Voice:
    """One process's log on its way out; beside others it is labelled, and whole lines only."""

    def __init__(self, reader: LogReader, label: str | None, output: BinaryIO) -> None:
        self._reader = reader
        self._label = None if label is None else f"{label} | ".encode()
        self._output = output
        self._rest = b""

    def begin(self) -> None:
        """Print the last lines."""
        self._print(self._reader.beginning())

    def go_on(self) -> bool:
        """Print what is new; whether there was anything."""
        data = self._reader.more()
        self._print(data)
        return bool(data)

    def end(self) -> None:
        """Print what may become a line, too."""
        if self._label is not None and self._rest:
            self._print(b"\n")

    def _print(self, data: bytes) -> None:
        if self._label is None:
            self._output.write(data)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._output.write(b"".join(self._label + line + b"\n" for line in lines))
