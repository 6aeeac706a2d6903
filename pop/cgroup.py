"""Control groups (version 2): limits for all processes of an instance together.

They take a cgroup that is delegated to the agent, as systemd does it with C{Delegate=yes}.
See C{Documentation/admin-guide/cgroup-v2.rst} of Linux.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pop.errors import NotSpawned
from pop.policy import Limits

PERIOD = 100_000
"""Microseconds in which the use of processors is counted."""
_AGENT = "pop.agent"


class Cgroups:
    """The cgroups that an agent makes for its instances.

    @param base: the directory of its own; L{None} if it has none.
    """

    def __init__(self, base: Path | None) -> None:
        self._base = base

    def make(self, name: str, limits: Limits) -> str | None:
        """A cgroup for one instance; L{None} if it has no limits that need one.

        @raise NotSpawned: it has, but they cannot be had.
        """
        wanted = {}
        if limits.memory is not None:
            wanted["memory"] = str(limits.memory)
        if limits.cpu is not None:
            wanted["cpu"] = f"{round(limits.cpu * PERIOD)} {PERIOD}"
        if not wanted:
            return None
        try:
            return self._make(self._enabled(list(wanted)) / f"pop.{name}", wanted)
        except OSError as error:
            kinds, reason = " and ".join(wanted), error.strerror or error
            raise NotSpawned(
                reason=f"its limit of {kinds} needs a cgroup (version 2) that is delegated to the"
                f" agent ({reason})"
            ) from error

    def _enabled(self, kinds: list[str]) -> Path:
        """The agent's own, whose children have such limits."""
        if self._base is None:
            raise OSError(0, "there is none")
        offered = (self._base / "cgroup.controllers").read_text().split()
        if missing := [kind for kind in kinds if kind not in offered]:
            raise OSError(0, f"it has no {' and no '.join(missing)} controller")
        enabled = (self._base / "cgroup.subtree_control").read_text().split()
        if any(kind not in enabled for kind in kinds):
            self._make_way()
            for kind in kinds:
                (self._base / "cgroup.subtree_control").write_text(f"+{kind}")
        return self._base

    def _make_way(self) -> None:
        """A cgroup with limits for its children must have no processes itself."""
        assert self._base is not None  # there is one
        own = self._base / _AGENT
        own.mkdir(exist_ok=True)
        for pid in _processes(self._base):
            with contextlib.suppress(ProcessLookupError):
                (own / "cgroup.procs").write_text(str(pid))

    def _make(self, path: Path, wanted: dict[str, str]) -> str:
        path.mkdir(exist_ok=True)
        for kind, text in wanted.items():
            (path / f"{kind}.max").write_text(text)
        if "memory" in wanted and (path / "memory.oom.group").exists():
            (path / "memory.oom.group").write_text("1")  # half an instance is of no use
        return str(path)


def own_cgroup() -> Path | None:
    """The cgroup of this process, if the system has such of version 2."""
    with contextlib.suppress(OSError, ValueError):
        mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
        [mount, *_] = [words[4] for words in mounts if "cgroup2" in words[words.index("-") :]]
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        [inside] = [line[3:] for line in lines if line.startswith("0::")]
        base = Path(mount + inside.rstrip("/"))
        return base.parent if base.name == _AGENT else base
    return None


def members(path: str) -> list[int]:
    """All processes in a cgroup and those below it; none if there is no such cgroup."""
    with contextlib.suppress(OSError):
        below = [pid for child in _children(path) for pid in members(child)]
        return [*_processes(Path(path)), *below]
    return []


def remove(path: str) -> None:
    """Remove a cgroup in which nothing lives, with those below it."""
    with contextlib.suppress(OSError):
        for child in _children(path):
            remove(child)
        os.rmdir(path)


def _processes(path: Path) -> list[int]:
    return [int(word) for word in (path / "cgroup.procs").read_text().split()]


def _children(path: str) -> Iterator[str]:
    return (entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False))
