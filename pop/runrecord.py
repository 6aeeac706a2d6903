"""What is remembered of a run of a task."""

from collections.abc import Mapping
from dataclasses import field

from pop.frozen import frozen
from pop.model import Json, dump, load

CANCELLED = "it was cancelled"
"""Why it has no status where nobody wanted it any more."""


@frozen
class RunRecord:
    """One run of a task, on any number of machines.

    @ivar who: C{user@host}, as they say themselves.
    @ivar began, ended: ISO 8601 in UTC; not C{ended} while it goes on, or if nobody came to say so.
    @ivar machines: the exit status by machine id; L{None} where it has none.
    @ivar problems: why it has none, by machine id.
    @ivar id: the node's name.
    @ivar going: whether whoever began it is still there.
    """

    task: str
    who: str
    began: str
    ended: str = ""
    machines: Mapping[str, int | None] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    going: bool = False

    @property
    def outcome(self) -> str:
        """How it came out, in a word or two, for people."""
        if not self.ended:
            return "going on" if self.going else "broken off"
        if self.problems:
            return "cancelled" if CANCELLED in self.problems.values() else "failed"
        bad = {status for status in self.machines.values() if status}
        return f"status {', '.join(map(str, sorted(bad)))}" if bad else "done"

    def to_json(self) -> bytes:
        """As its node has it."""
        known = {"task": self.task, "who": self.who, "began": self.began, "ended": self.ended}
        return dump({**known, "machines": dict(self.machines), "problems": dict(self.problems)})

    def to_object(self) -> dict[str, Json]:
        """For scripts."""
        known = {"id": self.id, "task": self.task, "who": self.who, "began": self.began}
        more = {"machines": dict(self.machines), "problems": dict(self.problems)}
        return {**known, "ended": self.ended, "outcome": self.outcome, **more}

    @classmethod
    def from_json(cls, path: str, data: bytes, going: bool) -> "RunRecord":
        """@param path: the node's; its last part is the run's id."""
        found = load(path, data, dict, "an object")
        statuses = _mapping(found.get("machines"))
        machines = {key: v if isinstance(v, int) else None for key, v in statuses.items()}
        problems = {key: _text(v) for key, v in _mapping(found.get("problems")).items()}
        return cls(
            _text(found.get("task")),
            _text(found.get("who")),
            _text(found.get("began")),
            _text(found.get("ended")),
            machines,
            problems,
            path.rpartition("/")[2],
            going,
        )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
