"""The journal of a machine: what became of its instances and why, kept in two files that rotate.

One JSON object a line. It is there to be read by people, so it may lose its last lines in a crash,
but never has half a one in its midst; and whatever is wrong with the disk, nobody waits for it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pop.frozen import frozen
from pop.model import Json, dump
from pop.slots import service_of

LIMIT = 4 << 20
"""Bytes that both files have at most, but for one turn of the reactor's."""
PENDING = 1000
"""How many entries wait at most for a disk that takes none."""
TAIL = 256 << 10
"""Bytes from the end in which the recent entries are looked for."""


@frozen
class Entry:
    """One change of one instance.

    @ivar when: ISO 8601 in UTC; C{until} likewise, of what it waits for.
    @ivar before, after: its phases.
    @ivar exit: how its process ended, if one did.
    @ivar log: how far its log had come when its process was about to be started, or had ended, in
        bytes; L{None} where neither is told, or nobody knew.
    @ivar failures: how many in a row there were by then.
    @ivar zxid, by: of the change in ZooKeeper that is the reason, if one is.
    """

    when: str
    slot: str
    before: str
    after: str
    why: str = ""
    pid: int | None = None
    exit: str = ""
    log: int | None = None
    restarts: int = 0
    failures: int = 0
    until: str = ""
    zxid: int = 0
    by: str = ""

    def to_object(self) -> dict[str, Json]:
        """What is known, as JSON has it."""
        return {
            key: value
            for key, value in vars(self).items()
            if value or (key == "log" and value is not None)
        }

    @classmethod
    def from_object(cls, found: Json) -> "Entry | None":
        """L{None} for what is none."""
        if not isinstance(found, dict) or not {"when", "slot", "before", "after"} <= found.keys():
            return None
        kept = {key: found[key] for key in _KINDS.keys() & found.keys()}
        right = all(isinstance(value, _KINDS[key]) for key, value in kept.items())
        return cls(**kept) if right else None


_KINDS = {f.name: str if f.type in (str, "str") else int for f in fields(Entry)}


class Journal:
    """What an agent writes to: all of one turn of the reactor at once, after what was to be done.

    @param path: of the newer file; the older one has C{.old} behind it.
    """

    _log = Logger()

    def __init__(self, path: Path, clock: IReactorTime, limit: int = LIMIT) -> None:
        self._path = path
        self._clock = clock
        self._limit = limit
        self._pending: list[Entry] = []
        self._due = False
        self._whole = False
        self._refused = False

    def add(self, entry: Entry) -> None:
        """Write an entry soon."""
        self._pending.append(entry)
        if not self._due:
            self._due = True
            self._clock.callLater(0, self.flush)

    def flush(self) -> None:
        """Write what is pending now; if it cannot be, that is said once, and tried again with the
        next entry."""
        self._due = False
        if not self._pending:
            return
        try:
            self._write(b"".join(dump(each.to_object()) + b"\n" for each in self._pending))
        except OSError as error:
            self._pending = self._pending[-PENDING:]
            if not self._refused:
                self._refused = True
                self._log.error("Cannot write {path}: {error}", path=self._path, error=error)
        else:
            self._pending = []
            self._refused = False

    def _write(self, data: bytes) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size if self._whole else _make_whole(descriptor)
            self._whole = True
            _append(descriptor, data, size)
        finally:
            os.close(descriptor)
        if size + len(data) >= self._limit // 2:
            os.replace(self._path, _older(self._path))


def _append(descriptor: int, data: bytes, size: int) -> None:
    """Write all of it or nothing."""
    written = os.write(descriptor, data)
    if written < len(data):
        os.ftruncate(descriptor, size)
        raise OSError(f"only {written} of {len(data)} bytes could be written")


def _make_whole(descriptor: int) -> int:
    """Cut off what a crash left of a last line; what is left, in bytes."""
    size = end = os.fstat(descriptor).st_size
    while end:
        begin = max(0, end - 4096)
        found = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        end = begin + found + 1
        if found >= 0:
            break
        end = begin
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _older(path: Path) -> Path:
    return Path(f"{path}.old")


def read(path: Path, wanted: Callable[[str], bool], last: int) -> list[Entry]:
    """The last entries of some slots, oldest first, while an agent may be writing.

    @param wanted: told a slot's name.
    @raise OSError: they may not be read.
    """
    found = [entry for entry in _entries(_halves(path)) if wanted(entry.slot)]
    return found[-last:] if last else []


def recent(path: Path, last: int) -> dict[str, list[Entry]]:
    """The last few entries of each service of which there are any near the end."""
    found: dict[str, list[Entry]] = {}
    try:
        lines = _tail(_halves(path))
    except OSError:
        return found
    for line in reversed(lines.split(b"\n")):  # most are older than is asked for
        object = _object(line)
        of_service = found.setdefault(_service(object), [])
        if len(of_service) < last and (entry := Entry.from_object(object)):
            of_service.append(entry)
    return {service: entries[::-1] for service, entries in found.items() if entries}


def _tail(data: bytes) -> bytes:
    return data if len(data) <= TAIL else data[-TAIL:].partition(b"\n")[2]


def _halves(path: Path) -> bytes:
    """Both files; the older one first is opened last, since the newer becomes it at any moment."""
    for _ in range(3):
        try:
            newer = path.read_bytes()
        except FileNotFoundError:
            newer = b""
        try:
            older = _older(path).read_bytes()
        except FileNotFoundError:
            older = b""
        if not (newer and older.startswith(newer)):
            return older + newer
    return older


def _entries(data: bytes) -> Iterator[Entry]:
    return filter(None, map(Entry.from_object, map(_object, data.split(b"\n"))))


def _object(line: bytes) -> Json:
    """What a line says; L{None} for what is broken."""
    try:
        found: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found


def _service(object: Json) -> str:
    return service_of(str(object.get("slot"))) if isinstance(object, dict) else ""


def short(entries: Iterable[Entry], last: int, longest: int) -> tuple[str, ...]:
    """The last few entries as lines of limited length."""
    lines = []
    for entry in list(entries)[-last:]:
        slot = "" if entry.slot == service_of(entry.slot) else f"{entry.slot}: "
        line = f"{entry.when} {slot}{entry.before} -> {entry.after}: {entry.why}"
        lines.append(line if len(line) <= longest else line[: longest - 1] + "…")
    return tuple(lines)
