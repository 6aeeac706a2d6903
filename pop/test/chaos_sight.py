"""What is seen of the chaos from outside: from C{/proc}, and from the files of logs."""

import gzip
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pop.rotation import recover

PROGRAM = str(Path(__file__).with_name("chaos_program.py"))


@dataclass(frozen=True)
class Seen:
    """A process of the chaos.

    @ivar kin: whether it is not the instance itself, but what that has started.
    """

    pid: int
    machine: str
    service: str
    version: str
    kin: bool

    def __str__(self) -> str:
        return f"{self.service}{' (kin)' * self.kin} v{self.version} on {self.machine}, {self.pid}"


def look(mark: str) -> list[Seen]:
    """Give all processes with a mark that live, be they stopped by a signal."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [seen for pid in pids if (seen := recognise(pid, mark))]


def recognise(pid: int, mark: str) -> Seen | None:
    """Give what a process is; L{None} if it has not that mark, or is dead, or about to execute.

    An instance leads its session. What it forks looks the same until it executes something else.
    """
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
        words = text.decode("utf-8", "replace").split("\0")[:-1]
        if mark not in words:
            return None
        machine, service, version, manner = words[words.index(mark) + 1 :][:4]
        if manner != "kin" and os.getsid(pid) != pid:
            return None
    except OSError:
        return None
    return Seen(pid, machine, service, version, manner == "kin")


def lost_lines(counts: Path, logs: dict[str, Path]) -> Iterator[str]:
    """Give what is wrong with the logs: lines that were written and are not there once, as lines.

    @param logs: the directory of logs of each machine.
    """
    lines = {machine: _places(directory) for machine, directory in logs.items()}
    for path in sorted(counts.iterdir()):
        written = int.from_bytes(path.read_bytes(), "little")
        found = lines[path.name.partition(".")[0]]
        wrong = [n for n in range(1, written + 1) if len(found[f"{path.name} {n}."]) != 1]
        if wrong:
            places = ", ".join(found[f"{path.name} {wrong[0]}."]) or "nowhere"
            yield (
                f"{len(wrong)} of {written} lines of {path.name} are lost, split or twice in its"
                f" log: the first of them is line {wrong[0]}, which is {places}"
            )


def _places(directory: Path) -> dict[str, list[str]]:
    """Where each line is, once what killed agents began was finished: files, and lines in these."""
    for log in directory.glob("*.log*"):
        if "-" not in log.name:
            recover(log)
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(directory.glob("*.log*")):
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data.lstrip(b"\0")
        for number, line in enumerate(text.decode("utf-8", "replace").split("\n")):
            places[line].append(f"{path.name}:{number}")
    return places
