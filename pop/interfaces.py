"""Where something may be replaced."""

import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import Attribute, Interface
from zope.schema import Choice, Dict, Float, Int, Text, TextLine, Tuple, ValidationError

from pop.health import read_template
from pop.listening import listening
from pop.policy import ON_DISCONNECT, RESTARTS, megabytes, rlimit, rlimits, seconds_away, umask

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.protocol import ProcessProtocol

    from pop.model import Instance
    from pop.program import Launch, Left, Program
    from pop.recipe import Recipe

STOP_SIGNALS = tuple(
    name
    for name in ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH", "KILL")
    if hasattr(signal, f"SIG{name}")
)


class NotAVariable(ValidationError):
    """it should be a variable's name, without = and control characters"""


class NotAValue(ValidationError):
    """it should have no NUL character"""


class NotAbsolute(ValidationError):
    """it should be an absolute path"""


def _variable(name: str) -> bool:
    if "=" in name or not name.isprintable():
        raise NotAVariable(name)
    return True


def _passable(text: str) -> bool:
    if "\0" in text:
        raise NotAValue(text)
    return True


def absolute(path: str) -> bool:
    """A constraint: where the agent was started is no place to start from.

    @raise NotAbsolute: it is a relative path.
    """
    if not path.startswith("/") or not path.isprintable():
        raise NotAbsolute(path)
    return True


class NotUnderstood(ValidationError):
    """Carries its own sentence: what a text of pop's own small notations should look like."""

    def doc(self) -> str:
        return str(self.args[0])


def _reads(read: Callable[[Any], object]) -> Callable[[Any], bool]:
    """A constraint: a function, like those of L{pop.policy}, reads the value."""

    def constraint(text: Any) -> bool:
        try:
            read(text)
        except ValueError as error:
            raise NotUnderstood(str(error)) from error
        return True

    return constraint


class ISettings(Interface):
    """The settings of every service, whatever its type."""

    environment = Dict(
        title="Environment variables, on top of the agent's",
        key_type=TextLine(min_length=1, constraint=_variable),
        value_type=Text(constraint=_passable),
        default={},
        required=False,
    )
    directory = TextLine(
        title="Working directory; a private one under the state directory unless given",
        constraint=absolute,
        required=False,
    )
    user = TextLine(title="System user to run as; the agent's unless given", required=False)
    group = TextLine(title="System group to run as; the user's unless given", required=False)
    groups = Tuple(
        title="Supplementary groups, instead of the user's own", value_type=TextLine(), default=()
    )
    umask = TextLine(title="Umask, in octal", constraint=_reads(umask), required=False)
    limits = Dict(
        title="Resource limits by name: nofile=1024, core=0, nproc=64:128 (soft:hard), unlimited",
        key_type=TextLine(constraint=_reads(rlimit)),
        value_type=TextLine(),
        constraint=_reads(rlimits),
        default={},
        required=False,
    )
    memory = TextLine(
        title="Memory that all its processes may use, like 512M; needs a delegated cgroup",
        constraint=_reads(megabytes),
        required=False,
    )
    cpu = Float(
        title="Processors that all its processes may use, like 1.5; needs a delegated cgroup",
        min=0.01,
        required=False,
    )
    sockets = Tuple(
        title="Sockets to listen on and pass as LISTEN_FDS: tcp:8080, tcp:8080:interface=::1,"
        " unix:/run/web.sock",
        value_type=TextLine(constraint=_reads(listening)),
        default=(),
    )
    processes = Int(title="Processes on each machine", min=1, max=1000, default=1)
    restart = Choice(
        title="When to start it again after it ended", values=RESTARTS, default=RESTARTS[0]
    )
    max_failures = Int(
        title="Failures within failure_window that make it failed, to be tried now and then",
        min=1,
        max=1000,
        default=5,
    )
    failure_window = Float(title="Seconds in which failures are counted", min=0.1, default=60.0)
    start_timeout = Float(
        title="Seconds until it must be ready, else it is stopped and started again",
        min=0.1,
        max=86400.0,
        default=60.0,
    )
    stop_signal = Choice(title="Signal that asks it to stop", values=STOP_SIGNALS, default="TERM")
    grace_period = Float(
        title="Seconds it may take to stop before it is killed", min=0.0, max=86400.0, default=10.0
    )
    readiness = TextLine(
        title="Check that it is ready: tcp:8080, http://127.0.0.1:8080/health, command:ARGV;"
        " {SETTING}, {service} and {machine} are filled in",
        constraint=_reads(read_template),
        required=False,
    )
    liveness = TextLine(
        title="Check that it lives, else it is restarted",
        constraint=_reads(read_template),
        required=False,
    )
    check_interval = Float(title="Seconds between two checks", min=0.01, default=5.0)
    check_timeout = Float(title="Seconds that a check may take", min=0.01, default=5.0)
    check_failures = Int(title="Failed checks in a row until it counts", min=1, default=3)
    check_successes = Int(title="Passed checks in a row until it counts", min=1, default=1)
    watchdog = Float(
        title="Seconds within which it must say WATCHDOG=1 again and again, else it is restarted",
        min=0.01,
        required=False,
    )
    roll_batch = Int(
        title="Machines that may be out of service at a time for a change of its settings, which"
        " then restarts one batch after the other; all at once unless given",
        min=1,
        required=False,
    )
    on_disconnect = TextLine(
        title="What to do while ZooKeeper is away: continue, or stop-after=SECONDS",
        constraint=_reads(seconds_away),
        default=ON_DISCONNECT,
    )
    log_size = TextLine(
        title="Size at which its log is rotated", constraint=_reads(megabytes), default="16M"
    )
    log_hours = Float(title="Hours after which its log is rotated", min=0.001, required=False)
    log_keep = Int(title="Rotated logs to keep, compressed", min=0, max=10000, default=7)


class IServiceType(Interface):
    """Something that knows how to run a service: a plugin in a module under C{pop/services/}.

    Subclass L{pop.program.ProgramType} or L{pop.program.PythonType} rather than start from here.
    """

    name = Attribute("The name that C{pop add} takes; unique, a L{str}.")
    summary = Attribute("One sentence on what it runs, a L{str}.")
    settings = Attribute("An interface of C{zope.schema} fields that extends L{ISettings}.")

    def program(settings: Any, instance: "Instance") -> "Program":
        """What to execute.

        Pure: the same settings must give an equal program, since a difference is a restart.

        @param settings: an object with one attribute for each field, validated.
        @raise pop.errors.PopError: these settings cannot be run.
        """


class ISpawner(Interface):
    """What turns a launch into a process."""

    def spawn(name: str, launch: "Launch", protocol: "ProcessProtocol") -> "IProcess":
        """Start a process in a session of its own.

        C{protocol.processEnded} is called once nothing of that session is left, and
        C{protocol.notified} (if the program notifies) with what it says of itself.

        @raise pop.errors.NotSpawned: with the reason, when it cannot be started at all.
        """

    def left() -> "Sequence[Left]":
        """What a predecessor has started, and could not stop.

        Whoever calls this adopts each of them, before anything is started: what is not wanted is
        adopted and stopped. One may have died meanwhile; its adopter is told so.
        """

    def adopt(left: "Left", protocol: "ProcessProtocol") -> "IProcess":
        """Look after a process as if it had been started here.

        C{protocol} is told the same, never before this returns. How it ended may be unknown: a
        L{twisted.internet.error.ProcessTerminated} then has neither exit code nor signal.
        """

    def release(service: str) -> None:
        """A service is not wanted here any more: hold no sockets for it."""

    def written(name: str) -> int:
        """How many bytes have been written to the log of a slot so far; 0 if that is unknown."""


class IProcess(Interface):
    """A process that runs, with all that it started."""

    pid = Attribute("The process id, an L{int}.")

    def stop(signal: str) -> None:
        """Ask all of it to stop, by a signal's name without SIG."""

    def kill() -> None:
        """End all of it now."""

    def signal(name: str) -> None:
        """Send a signal to the process alone, by its name without SIG."""

    def members() -> "Deferred[list[int]]":
        """Look who lives of it and all that it started."""

    def note(ready: bool, state: Mapping[str, Any] | None) -> None:
        """Remember what it said of itself, for a successor of this agent that adopts it.

        What it is at first need not be said: that is remembered when it is started.
        """


class IBuilder(Interface):
    """What makes the Python environments that programs run in."""

    def has(service: str, recipe: "Recipe") -> bool:
        """Whether an environment is there, complete."""

    def build(service: str, launch: "Launch") -> "Deferred[None]":
        """Make the one that a launch's recipe is of, beside those there are.

        Cancelled, it ends what is at it.

        @raise pop.errors.PopError: (as a failure) it cannot be made, in the installer's words.
        """

    def collect(used: Mapping[str, Collection[str]]) -> None:
        """Remove what nobody needs; of each service that is named, a few are kept all the same.

        @param used: for each service that is here, the keys of the recipes that are in use.
        """


class ISettingsObject(Interface):
    """Settings that were validated: an attribute for each field of the type's interface."""

    def as_json() -> Mapping[str, Any]:
        """All values, defaults included."""


class IOutput(Interface):
    """Who takes what an agent has to say piece by piece: the reader of logs, or of a task."""

    def write(source: str, data: bytes) -> "Deferred[None]":
        """Take a piece; fires when there is room for more, and whoever writes waits for that.

        Pieces of one source come in order, and end anywhere in a line. If it fails, whoever writes
        stops.

        @param source: a slot's name, for logs; C{stdout} or C{stderr}, for a task,
            and C{progress}: lines of JSON with C{done}, C{total} (null if that is not known) and
            C{what}.
        """


class IAdministration(Interface):
    """What may be asked of one machine's agent.

    The agent's own object provides it, and so do those that ask it over a connection: whoever has
    one need not know which. Only plain values go in and out, as JSON has them.

    Any Deferred may fail with a L{pop.errors.PopError}. Cancelling those of L{logs} and L{run} ends
    what they began, wherever that is.
    """

    def info() -> "Deferred[dict[str, Any]]":
        """What the agent is: C{machine}, C{pid}, C{version}, C{since} (ISO 8601 in UTC),
        C{zookeeper} (whether its word is known just now), C{state_dir}, C{host}, C{services} and
        C{instances} (how many), C{cpu} (share of a processor) and C{memory} (bytes)."""

    def instances(service: str = "") -> "Deferred[list[dict[str, Any]]]":
        """The instances of a service, or all, with live figures, in order.

        Each has C{slot}, C{service}, C{phase}, C{why}, C{pid} (L{None} if none runs), C{since}
        (when the phase began), C{restarts}, C{cpu} (share of a processor, of late) and C{memory}
        (bytes) of its whole tree, C{processes} (how many that are), and C{uptime} (seconds since
        its process was started; L{None} if none runs).
        """

    def signal(service: str, name: str, slot: str = "") -> "Deferred[int]":
        """Send a signal, by its name without SIG, to the main process of each instance of a
        service, or of one only; fires with how many there were.

        @raise pop.errors.NotHere: there is no such instance.
        """

    def restart(service: str, slot: str = "") -> "Deferred[int]":
        """Stop and start the instances of a service on this machine, or one only, at once; fires
        with how many there are, as soon as they are told.

        @raise pop.errors.NotHere: there is no such instance.
        @raise pop.errors.HeldHere: it should not run.
        """

    def why(service: str) -> "Deferred[list[dict[str, Any]]]":
        """What the journal knows of a service, oldest first: L{pop.journal.Entry}s as JSON."""

    def logs(service: str, lines: int, follow: bool, output: IOutput) -> "Deferred[None]":
        """Write what a service's instances have written; the source is the slot.

        @param lines: how many of the last lines of each to begin with; negative for all.
        @param follow: whether to go on with what is written, until it is cancelled.
        @raise pop.errors.NoLog: it has none here.
        """

    def run(
        service: str, task: str, arguments: list[str], output: IOutput
    ) -> "Deferred[dict[str, Any]]":
        """Run a task of a service, in a process of its own; fires when that has ended.

        @return: C{status}, its exit status, and C{settings}, those that whoever began it should
            record; L{None} for none.
        @raise pop.errors.PopError: it cannot be run.
        """
