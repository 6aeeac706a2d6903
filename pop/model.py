"""What pop knows, as values; with L{pop.nodes}, the one file that knows their JSON.

Objects keep the keys they do not know, so that an older pop does not lose what a newer one wrote.
"""

from collections.abc import Mapping
from dataclasses import field

from pop.errors import BrokenNode
from pop.frozen import frozen
from pop.nodes import Json as Json
from pop.nodes import dump as dump
from pop.nodes import load as load
from pop.nodes import loads as loads
from pop.nodes import take as _take
from pop.nodes import text as _text


@frozen
class By:
    """Who changed a service last, as its target says.

    @ivar who: C{user@host}, as they say themselves.
    @ivar command: what they did it with.
    @ivar version: the target node's version that came of it: with any other, somebody who says
        nothing of himself has been there since.
    """

    who: str
    command: str = ""
    version: int = 0

    def __str__(self) -> str:
        return f"{self.who} ({self.command})" if self.command else self.who

    def to_object(self) -> dict[str, Json]:
        """As JSON has it."""
        return {"who": self.who, "command": self.command, "version": self.version}

    @classmethod
    def from_object(cls, found: Json) -> "By | None":
        """L{None} for what does not say it: that is no reason not to run a service."""
        match found:
            case {"who": str(who), "command": str(command), "version": int(version)} if who:
                return cls(who, command, version)
        return None


@frozen
class Target:
    """What the operator asked of a service.

    @ivar run: whether it should run; otherwise it is held where it is deployed.
    @ivar generation: how often a restart was asked; a change of it restarts.
    @ivar batch: on how many machines at a time that restart may be; 0 for all at once.
    @ivar by: who changed anything of the service last; no part of what was asked.
    """

    run: bool = True
    generation: int = 0
    extra: Mapping[str, Json] = field(default_factory=dict)
    by: By | None = field(default=None, compare=False)
    batch: int = 0

    def to_json(self) -> bytes:
        by = {"by": self.by.to_object()} if self.by else {}
        return dump({**self.to_object(), **by})

    def to_object(self) -> dict[str, Json]:
        """What was asked, as JSON has it."""
        batch = {"batch": self.batch} if self.batch else {}
        return {**self.extra, "run": self.run, "generation": self.generation, **batch}

    @classmethod
    def from_json(cls, path: str, data: bytes) -> "Target":
        found = load(path, data, dict, "an object")
        run = _take(path, found, "run", bool, True)
        generation = _take(path, found, "generation", int, 0)
        batch = max(0, _take(path, found, "batch", int, 0))
        by = By.from_object(found.pop("by", None))
        return cls(run, generation, by=by, extra=found, batch=batch)


@frozen
class Machine:
    """A host, known by its id.

    @ivar labels: what its administrator says of it.
    @ivar pop, python: versions.
    """

    id: str
    host: str = ""
    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    pop: str = ""
    python: str = ""
    extra: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> bytes:
        return dump(self.to_object())

    def to_object(self) -> dict[str, Json]:
        """As JSON has it, without the id, which is the node's name."""
        return {
            **self.extra,
            "host": self.host,
            "addresses": list(self.addresses),
            "labels": dict(self.labels),
            "pop": self.pop,
            "python": self.python,
        }

    @classmethod
    def from_json(cls, path: str, data: bytes) -> "Machine":
        """@param path: the node's; its last part is the machine's id."""
        found = load(path, data, dict, "an object") if data else {}
        return cls(
            id=path.rpartition("/")[2],
            host=_take(path, found, "host", str, ""),
            addresses=tuple(map(_text, _take(path, found, "addresses", list, []))),
            labels={key: _text(v) for key, v in _take(path, found, "labels", dict, {}).items()},
            pop=_take(path, found, "pop", str, ""),
            python=_take(path, found, "python", str, ""),
            extra=found,
        )


@frozen
class AgentInfo:
    """Who serves a machine just now.

    @ivar state_dir: where it keeps its files.
    @ivar state_id: what tells that directory from all others: who holds it next, succeeds it.
    @ivar began: when it began, ISO 8601 in UTC.
    @ivar admin: where its admin protocol listens: C{unix} and C{pb}, the paths of sockets;
        C{tls}, an object with C{hosts}, of which one will do, and C{port}.
    """

    pid: int = 0
    host: str = ""
    state_dir: str = ""
    state_id: str = ""
    began: str = ""
    admin: Mapping[str, Json] = field(default_factory=dict)
    extra: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> bytes:
        known = {"pid": self.pid, "host": self.host, "state_dir": self.state_dir}
        known |= {"state_id": self.state_id, "began": self.began}
        admin = {"admin": dict(self.admin)} if self.admin else {}
        return dump({**self.extra, **known, **admin})

    @classmethod
    def from_json(cls, path: str, data: bytes) -> "AgentInfo":
        found = load(path, data, dict, "an object")
        pid = _take(path, found, "pid", int, 0)
        host = _take(path, found, "host", str, "")
        state_dir = _take(path, found, "state_dir", str, "")
        state_id = _take(path, found, "state_id", str, "")
        began = _take(path, found, "began", str, "")
        admin = _take(path, found, "admin", dict, {})
        return cls(pid, host, state_dir, state_id, began, admin, found)


@frozen
class Status:
    """How an instance fares, for people.

    @ivar phase: a L{pop.life.Phase}.
    @ivar since: when the phase began, ISO 8601 in UTC.
    @ivar restarts: how often it was started again after it had ended by itself.
    @ivar problem: why it does not do what is wanted of it just now.
    @ivar processes: the same of each process, where there are several.
    @ivar says: the last status line of the program itself.
    @ivar causes: its last changes in short, oldest first.
    @ivar generation: the restart generation of what it was last told to run.
    @ivar assumed: it is ready only in so far as it runs; it neither said so nor was it asked.
    @ivar failures: how many there were in a row before the present run, until that is a good one.
    """

    phase: str
    since: str = ""
    why: str = ""
    restarts: int = 0
    problem: str = ""
    processes: tuple[Mapping[str, Json], ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)
    says: str = ""
    causes: tuple[str, ...] = ()
    generation: int = 0
    assumed: bool = False
    failures: int = 0

    @property
    def serves(self) -> bool:
        """Whether the machine is in service: ready, or done with what it should do once."""
        ready = self.phase == "ready" and not self.doubtful
        return ready or (self.phase == "finished" and not self.problem)

    @property
    def doubtful(self) -> bool:
        """Whether it ended lately and may again: that it runs is all that is known of it."""
        return self.assumed and self.failures > 0

    def to_json(self) -> bytes:
        return dump(self.to_object())

    def to_object(self) -> dict[str, Json]:
        """As JSON has it."""
        several = {"processes": list(self.processes)} if self.processes else {}
        known = {"phase": self.phase, "since": self.since, "why": self.why}
        counted = {"restarts": self.restarts}
        problem = {"problem": self.problem} if self.problem else {}
        says = {"says": self.says} if self.says else {}
        causes = {"causes": list(self.causes)} if self.causes else {}
        asked = {"generation": self.generation} if self.generation else {}
        asked |= {"assumed": True} if self.assumed else {}
        asked |= {"failures": self.failures} if self.failures else {}
        return {**self.extra, **known, **counted, **problem, **says, **several, **causes, **asked}

    @classmethod
    def from_json(cls, path: str, data: bytes) -> "Status":
        found = load(path, data, dict, "an object")
        phase = _take(path, found, "phase", str, "")
        since = _take(path, found, "since", str, "")
        why = _take(path, found, "why", str, "")
        restarts = _take(path, found, "restarts", int, 0)
        problem = _take(path, found, "problem", str, "")
        says = _take(path, found, "says", str, "")
        processes = _take(path, found, "processes", list, [])
        known = tuple(each for each in processes if isinstance(each, dict))
        causes = tuple(map(_text, _take(path, found, "causes", list, [])))
        asked = _take(path, found, "generation", int, 0)
        assumed = _take(path, found, "assumed", bool, False)
        failures = _take(path, found, "failures", int, 0)
        return cls(
            phase,
            since,
            why,
            restarts,
            problem,
            known,
            found,
            says,
            causes,
            asked,
            assumed,
            failures,
        )


@frozen
class Change:
    """The last change of a node.

    @ivar zxid: the transaction's id.
    @ivar by: who made it, for people; empty if that cannot be known any more.
    """

    zxid: int = 0
    by: str = ""


@frozen
class Service:
    """What the operator wants: a name, a type, settings, machines, and run or hold.

    @ivar changes: of its type, settings, machines and target; no part of what is wanted.
    """

    name: str
    type: str
    settings: Mapping[str, Json] = field(default_factory=dict)
    machines: tuple[str, ...] = ()
    target: Target = Target()
    changes: Mapping[str, Change] = field(default_factory=dict, compare=False, repr=False)

    @property
    def last_change(self) -> Change:
        """The latest of all."""
        return max(self.changes.values(), key=lambda change: change.zxid, default=Change())

    @property
    def version(self) -> str:
        """What tells what should run from what should have run before, be it the same."""
        zxids = (self.changes.get(key, Change()).zxid for key in ("type", "settings"))
        return f"{self.target.generation}:{max(zxids):#x}"


@frozen
class Stop:
    """Why a roll goes no further: the first machine on which it failed.

    @ivar version: of what was rolled, see L{Service.version}.
    @ivar when: ISO 8601 in UTC.
    """

    machine: str
    why: str = ""
    version: str = ""
    when: str = ""


@frozen
class Progress:
    """How far the agents of a service are with a roll; this outlives each of them.

    @ivar going: machines whose turn it is, until they have said how it went.
    """

    going: tuple[str, ...] = ()
    stop: Stop | None = None

    def to_json(self) -> bytes:
        stop = {"stop": vars(self.stop)} if self.stop else {}
        return dump({"going": sorted(self.going), **stop})

    @classmethod
    def from_json(cls, path: str, data: bytes) -> "Progress":
        found = load(path, data, dict, "an object") if data else {}
        going = tuple(map(_text, _take(path, found, "going", list, [])))
        stop = _take(path, found, "stop", dict, {})
        known = ("machine", "why", "version", "when")
        return cls(going, Stop(*(_text(stop.get(key, "")) for key in known)) if stop else None)


@frozen
class Contents:
    """What a namespace holds of target state.

    @ivar broken: sentences on services and machines that make no sense and were left out.
    """

    services: tuple[Service, ...] = ()
    machines: tuple[Machine, ...] = ()
    broken: tuple[str, ...] = ()


@frozen
class Instance:
    """One service on one machine: what a service type is told of where it runs."""

    service: str
    machine: str


def load_settings(path: str, data: bytes) -> dict[str, Json]:
    """The settings in a node; none, when it is empty."""
    return load(path, data, dict, "an object of settings") if data else {}


def load_machines(path: str, data: bytes) -> tuple[str, ...]:
    """The machine ids in a node, in order, each once; none, when it is empty."""
    found = load(path, data, list, "a list of machine ids") if data else []
    if not all(isinstance(machine, str) for machine in found):
        raise BrokenNode(path=path, reason="it should hold a list of machine ids, which are texts")
    return tuple(dict.fromkeys(found))


def load_text(path: str, data: bytes) -> str:
    """The text in a node, without the line end that an editor leaves."""
    try:
        return data.decode().strip()
    except UnicodeDecodeError as error:
        raise BrokenNode(path=path, reason="it is not UTF-8") from error


def load_service(name: str, nodes: Mapping[str, tuple[str, bytes | None]]) -> Service:
    """A service from its nodes.

    @param nodes: for each of C{type}, C{settings}, C{machines} and C{target}, the node's path and
        its data, L{None} if it is missing: then what it would say is the default.
    """
    path, data = nodes["type"]
    type_name = load_text(path, data or b"")
    if not type_name:
        raise BrokenNode(path=path, reason="it should name the service type")
    return Service(
        name,
        type_name,
        load_settings(nodes["settings"][0], nodes["settings"][1] or b""),
        load_machines(nodes["machines"][0], nodes["machines"][1] or b""),
        Target.from_json(nodes["target"][0], nodes["target"][1] or b"{}"),
    )
