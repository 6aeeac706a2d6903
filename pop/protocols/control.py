"""What passes between an agent and the process of a task.

It goes through a socket, which is the process's standard input at first: one line of JSON with what
is to be done, and back as many as the task likes with how far it is and what is to be recorded.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pop.frozen import frozen
from pop.model import Json, dump, loads

LONGEST = 1 << 20
"""Bytes of a line; a longer one is passed over."""


@frozen
class Request:
    """A run of a task.

    @ivar arguments: as they were typed.
    @ivar settings: the service's, as its node has them.
    @ivar path: where the agent finds modules.
    """

    type: str
    service: str
    machine: str
    task: str
    arguments: tuple[str, ...]
    settings: Mapping[str, Json]
    state_directory: str
    path: tuple[str, ...]

    def encode(self) -> bytes:
        """As a line."""
        return dump(asdict(self)) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Request":
        """From a line, which is whole and ours."""
        return cls(**loads(line))


def progress(done: float, total: float | None, what: str) -> bytes:
    """A line that says how far a task is."""
    return dump({"progress": {"done": done, "total": total, "what": what}}) + b"\n"


def record(settings: Mapping[str, Json]) -> bytes:
    """A line with settings that are to be recorded."""
    return dump({"record": dict(settings)}) + b"\n"


class Lines:
    """Puts together what comes in pieces, and passes over what makes no sense."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The objects whose lines are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            self._rest = b""
        return [found for line in lines if isinstance(found := _read(line), dict)]


def _read(line: bytes) -> Json:
    try:
        return loads(line)
    except (ValueError, RecursionError):
        return None
