"""The archives of the logs in a directory: what they are called, and which there are.

An archive of C{web.log} is C{web.log-TIME.gz}. Before, it is C{web.log-TIME.part} while it is
being written, and C{web.log-TIME.INODE.START.END.whole} while these bytes are being taken out of
that file (see L{pop.rotation}, Note [Whole]).
"""

import contextlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

_OURS: Final = re.compile(
    r"(?P<log>.+\.log(\.\d+)?)-\d{8}T\d{6}\.\d{6}Z\.(gz|part|\d+\.\d+\.\d+\.whole)"
)


class Range(NamedTuple):
    """Some bytes of a file."""

    inode: int
    start: int
    end: int


def stock(directory: Path) -> dict[str, list[Path]]:
    """All archives and drafts, the oldest first, by the names of their logs.

    One look at the directory tells it of all logs, of which there may be thousands.
    """
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(FileNotFoundError):
        for name in sorted(os.listdir(directory)):
            if ours := _OURS.fullmatch(name):
                found.setdefault(ours["log"], []).append(directory / name)
    return found


def archives(log: Path) -> list[Path]:
    """The archives of a log, the oldest first.

    The last one may be C{.whole}: what it holds may still be in the file, too.
    """
    return [path for path in stock(log.parent).get(log.name, []) if path.suffix != ".part"]


def finished(path: Path) -> bool:
    """Whether it is an archive, with nothing left to do."""
    return path.suffix == ".gz"


def draft(log: Path, now: float) -> Path:
    """What a new archive is called while it is being written: it comes behind all there are."""
    found = archives(log)
    stamp = _stamp(now)
    if found and found[-1].name >= f"{log.name}-{stamp}":
        before = found[-1].name[len(log.name) + 1 :][: len(stamp)]
        then = datetime.strptime(before, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
        stamp = _stamp(then.timestamp() + 0.000_010)
    return log.with_name(f"{log.name}-{stamp}.part")


def whole(part: Path, taken: Range) -> Path:
    """What it is called while what it holds is taken out of its log."""
    return part.with_name(f"{part.stem}.{taken.inode}.{taken.start}.{taken.end}.whole")


def named(archive: Path) -> Path:
    """What it is called in the end."""
    if archive.suffix == ".whole":
        return archive.with_name(f"{archive.name.rsplit('.', 4)[0]}.gz")
    return archive


def taken(archive: Path) -> Range | None:
    """What is being taken out of its log, if that is not done yet."""
    if archive.suffix == ".whole":
        return Range(*map(int, archive.name.rsplit(".", 4)[1:4]))
    return None


def prune(log: Path, keep: int) -> None:
    """Remove the oldest archives."""
    found = [path for path in archives(log) if finished(path)]
    for path in found[: max(0, len(found) - keep)]:
        path.unlink(missing_ok=True)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
