"""Notes of what an agent runs, so that its successor finds what it left behind.

An agent that is killed cannot stop its services, nor need it: the next one with the same state
directory goes on with what it finds noted. A process is known by its number, its start time and the
boot, so that no stranger is taken for it.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from pop.frozen import frozen
from pop.kin import Kin, age, alive, began, boot
from pop.marks import NONE
from pop.notes import launch_from_json, launch_to_json
from pop.program import Launch, Left, Program
from pop.slots import filename

UNREADABLE = Launch(Program(()))
"""Stands for a launch that this version of pop cannot read: it is equal to none that is wanted."""


@frozen
class Note:
    """What is known of a process that runs.

    @ivar began: as L{pop.kin.began} says it.
    @ivar mark: see Note [Marks].
    @ivar cgroup: the directory of its cgroup, if it has one.
    """

    slot: str
    launch: Launch
    pid: int
    began: float | None
    mark: int = NONE
    cgroup: str | None = None
    ready: bool = False
    state: Mapping[str, Any] | None = None

    def kin(self) -> Kin:
        """All that came of it."""
        return Kin(self.pid, self.began, self.mark, self.cgroup)

    def left(self) -> Left:
        """The same, for those who decide what is to become of it."""
        lives = self.kin().leads() and alive(self.pid)
        return Left(
            self.slot, self.launch, self.pid, age(self.began), self.ready, self.state, lives
        )


class Leftovers:
    """The notes in one directory, a file for each slot."""

    _log = Logger()

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._notes: dict[str, Note] = {}

    def of(self, slot: str) -> Note:
        """The note of a slot.

        @raise KeyError: there is none.
        """
        return self._notes[slot]

    def note(
        self, slot: str, launch: Launch, pid: int, mark: int, cgroup: str | None = None
    ) -> Note:
        """Remember a process.

        @raise OSError: it cannot be written.
        """
        return self._keep(Note(slot, launch, pid, began(pid), mark, cgroup, *launch.at_first()))

    def amend(self, note: Note, ready: bool, state: Mapping[str, Any] | None) -> Note:
        """Remember what it said of itself.

        @raise OSError: it cannot be written.
        """
        return self._keep(replace(note, ready=ready, state=state))

    def forget(self, note: Note) -> None:
        """The process has ended. Its successor's note is left alone."""
        if (known := self._notes.get(note.slot)) and known.pid == note.pid:
            del self._notes[note.slot]
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(note.slot))

    def _keep(self, note: Note) -> Note:
        """Write it beside the old one and put it in its place: whoever reads finds one of the two.

        It need not outlive a power cut, since no process does.
        """
        path = self._path(note.slot)
        draft = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(draft, json.dumps(_to_json(note)).encode())
        finally:
            os.close(draft)
        os.rename(f"{path}.new", path)
        self._notes[note.slot] = note
        return note

    def _path(self, slot: str) -> str:
        return f"{self.directory}/{filename(slot, '.json')}"

    def read(self) -> list[Note]:
        """What a predecessor noted; what makes no sense, or is of another boot, goes."""
        self._notes = {note.slot: note for note in self._found()}
        return list(self._notes.values())

    def _found(self) -> Iterator[Note]:
        for path in sorted(self.directory.glob("*.json*")):
            note = None
            if not path.name.endswith(".new"):
                try:
                    note = _from_json(json.loads(path.read_bytes()))
                except (OSError, ValueError, KeyError, TypeError):
                    self._log.warn("The note {path} is broken; passed over.", path=str(path))
            if note and os.path.basename(self._path(note.slot)) == path.name:
                yield note
            else:
                path.unlink(missing_ok=True)


def _to_json(note: Note) -> dict[str, Any]:
    return {
        "slot": note.slot,
        "pid": note.pid,
        "started": note.began,
        "mark": note.mark,
        "cgroup": note.cgroup,
        "boot": boot(),
        "ready": note.ready,
        "state": note.state,
        "launch": launch_to_json(note.launch),
    }


def _from_json(found: dict[str, Any]) -> Note | None:
    """@return: L{None} if it is of another boot."""
    if found["boot"] != boot():
        return None
    try:
        launch = launch_from_json(found["launch"])
    except (ValueError, KeyError, TypeError, AttributeError):
        launch = UNREADABLE
    started, state, cgroup = found["started"], found.get("state"), found.get("cgroup")
    return Note(
        slot=str(found["slot"]),
        launch=launch,
        pid=int(found["pid"]),
        began=None if started is None else float(started),
        mark=int(found.get("mark", NONE)),
        cgroup=None if cgroup is None else str(cgroup),
        ready=found.get("ready") is True,
        state=state if isinstance(state, dict) else None,
    )
