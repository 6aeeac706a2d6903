"""Where a task's output appears: text as it comes, and beneath it, on a terminal, bars."""

from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, succeed

from pop.cli.chorus import Chorus, Voice, Write
from pop.model import Json
from pop.protocols.control import Lines

Show = Callable[[float, "float | None", str], "Deferred[None]"]
"""(done, total, what): shows how far something is."""

TENTH = 0.1
"""How much more of the whole is worth a line of its own, where there are no bars."""


class Stage:
    """What is shown as long as a task is run.

    @param writes: by source, C{stdout} and C{stderr}: takes what is to be shown there.
    @param names: what the machines are called, by id; lines are labelled if there are several.
    @param bars: show how far it is; L{None} where there is no terminal to draw them on.
    """

    def __init__(
        self, writes: Mapping[str, Write], names: Mapping[str, str], bars: "Bars | None"
    ) -> None:
        self._writes = writes
        self._names = names
        self._bars = bars
        self._choruses = {
            source: Chorus(partial(self._show, source), machines=len(names) > 1, slots=False)
            for source in writes
        }
        self._reports: dict[str, Report] = {}

    def _show(self, source: str, data: bytes) -> "Deferred[None]":
        if self._bars is not None and self._bars.cover(source):
            self._bars.above(data)
            return succeed(None)
        return self._writes[source](data)

    def voice(self, machine: str) -> Voice:
        """Who takes what is written on a machine."""
        return Voice(self.write, machine)

    def write(self, machine: str, source: str, data: bytes) -> "Deferred[None]":
        """Take a piece."""
        if source in self._choruses:
            return self._choruses[source].sing(self._names[machine], source, data)
        if machine not in self._reports:
            label = self._names[machine] if len(self._names) > 1 else ""
            plain = Plain(label, self._writes["stderr"])
            self._reports[machine] = Report(self._bars.bar(label) if self._bars else plain)
        return self._reports[machine].write(data)

    def say(self, sentence: str) -> None:
        """Tell people something of our own."""
        self._show("stderr", f"pop: {sentence}\n".encode())

    async def close(self) -> None:
        """Nothing more comes: show the rest, and leave the terminal as it was."""
        for chorus in self._choruses.values():
            await chorus.end()
        if self._bars is not None:
            self._bars.close()


class Report:
    """How far one machine is, put together from what comes."""

    def __init__(self, show: Show) -> None:
        self._lines = Lines()
        self._show = show

    def write(self, data: bytes) -> "Deferred[None]":
        """Take a piece."""
        waiting: Deferred[None] = succeed(None)
        for found in self._lines.feed(data):
            done, total = _number(found.get("done")), _number(found.get("total"))
            waiting = self._show(done or 0.0, total, str(found.get("what") or ""))
        return waiting


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None


class Plain:
    """How far it is, in a line whenever that is worth one."""

    def __init__(self, label: str, write: Write) -> None:
        self._label = f"{label}: " if label else ""
        self._write = write
        self._shown = ("", -1.0)

    def __call__(self, done: float, total: float | None, what: str) -> "Deferred[None]":
        share = done / total if total else 0.0
        same, before = self._shown
        if what == same and share < 1 and share - before < TENTH:
            return succeed(None)
        if (what, share) == self._shown:
            return succeed(None)
        self._shown = (what, share)
        far = f"{done:g} of {total:g} ({share:.0%})" if total else f"{done:g}"
        line = f"{self._label}{what or 'progress'}: {far}\n"
        return self._write(line.encode())


class Bars:
    """Bars at the bottom of a terminal; there are none until somebody says how far it is.

    @param console: what draws on it; a L{rich.console.Console}.
    @param sources: what else appears on the same terminal.
    """

    def __init__(self, console: Any, sources: Container[str]) -> None:
        self._console = console
        self._sources = sources
        self._rest = b""
        self._progress: Any = None

    def cover(self, source: str) -> bool:
        """Whether text of that source would spoil them."""
        return self._progress is not None and source in self._sources

    def bar(self, label: str) -> Show:
        """One more; gives what moves it."""
        if self._progress is None:
            self._progress = _bars(self._console)
            self._progress.start()
        task = self._progress.add_task(label, total=None)

        def show(done: float, total: float | None, what: str) -> "Deferred[None]":
            words = " ".join(filter(None, (label, what)))
            whole = None if total is None else int(total)
            self._progress.update(task, completed=int(done), total=whole, description=words)
            return succeed(None)

        return show

    def above(self, data: bytes) -> None:
        """Print text; what is no line yet waits to be one, for it cannot stand above anything."""
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        if end:
            self._console.out(whole.decode("utf-8", "replace"), highlight=False)

    def close(self) -> None:
        """Leave them as they are."""
        if self._progress is not None:
            if self._rest:
                self.above(b"\n")
            self._progress.stop()


def _bars(console: Any) -> Any:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )
