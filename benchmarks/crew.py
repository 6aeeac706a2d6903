"""The workers: one process for each party, kept between rounds or made anew for each."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 600.0


class WorkerFailed(Exception):
    """A worker could not do what it was asked; the message says why."""


class Worker:
    """The process of one party."""

    def __init__(self, party: str, servers: str, root: str) -> None:
        self.party = party
        script = str(Path(__file__).with_name("worker.py"))
        self._process = subprocess.Popen(
            [sys.executable, script, party, servers, f"{root}/{party}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def measure(self, name: str, count: int) -> dict[str, Any]:
        """Have a workload done once, and give what it took; raises `WorkerFailed`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{name} {count}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(f"{self.party} has ended") from None
        if not select.select([self._process.stdout], [], [], PATIENCE)[0]:
            self._process.kill()
            raise WorkerFailed(f"{self.party} was not done with {name} after {PATIENCE:.0f} s")
        line = self._process.stdout.readline()
        report: dict[str, Any] = json.loads(line) if line else {"error": "it has ended"}
        if "error" in report:
            raise WorkerFailed(f"{self.party}, {name}: {report['error']}")
        return report

    def end(self) -> None:
        """Let it close, or kill it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(30)
        except (BrokenPipeError, subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.kill()
            self._process.wait()


class Crew:
    """All workers of a run."""

    def __init__(self, parties: list[str], servers: str, root: str) -> None:
        self.parties = parties
        self._servers = servers
        self._root = root
        self._kept: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._kept.values():
            worker.end()

    def measure(self, party: str, name: str, count: int, alone: bool) -> dict[str, Any]:
        """Have a workload done by this party, in a new process if it is to be alone."""
        if alone:
            with Worker(party, self._servers, self._root) as worker:
                return worker.measure(name, count)
        if party not in self._kept:
            self._kept[party] = Worker(party, self._servers, self._root)
        return self._kept[party].measure(name, count)
