"""Execution: how a program becomes a child, with all that it is to be given.

Note [Two ways]: most programs are started by C{vfork}, which costs the same however large the agent
is. What must be changed in the child itself before it is the program (its user, its limits, its
sockets, its cgroup) takes a C{fork}, of which the system copies the agent's page tables; that costs
a millisecond more, and only those pay who ask for it.
"""

import contextlib
import fcntl
import os
import resource
import shutil
import signal as signals
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial
from typing import Any

from pop.accounts import Account
from pop.errors import NotSpawned
from pop.frozen import frozen
from pop.policy import UNLIMITED

FIRST = 3
"""The descriptor of the first socket that is passed (sd_listen_fds(3))."""


@frozen
class Execution:
    """A program, and what it is to be given.

    @ivar sockets: descriptors of the agent's, passed from L{FIRST} on.
    @ivar names: of these sockets.
    @ivar cgroup: a directory of the cgroup file system that it joins.
    """

    argv: tuple[str, ...]
    directory: str
    environment: Mapping[str, str]
    account: Account = field(default_factory=Account)
    umask: int | None = None
    rlimits: tuple[tuple[str, int, int], ...] = ()
    sockets: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    cgroup: str | None = None

    def begin(self, stdin: Any, output: Any, errors: Any = None) -> "subprocess.Popen[bytes]":
        """Start it, in a session of its own.

        @param errors: its standard error, if that is not its output.
        @raise NotSpawned: it cannot be started.
        """
        plain = self.account.is_the_agents() and not (self.rlimits or self.sockets or self.cgroup)
        more = contextlib.nullcontext(self._plain()) if plain else self._prepared()
        # Without any PATH, the system would look in the directory.
        program = self.argv[0] if plain and self.environment.get("PATH") != "" else self._found()
        with _no_signal_blocked(), more as how:
            try:
                return subprocess.Popen(
                    [program, *self.argv[1:]],
                    stdin=stdin,
                    stdout=output,
                    stderr=output if errors is None else errors,
                    start_new_session=True,
                    umask=-1 if self.umask is None else self.umask,
                    **how,
                )
            except (OSError, ValueError) as error:
                reason = _refusal(self.argv[0], self._found(), self.directory, error)
                raise NotSpawned(reason=reason) from error

    def _found(self) -> str:
        """Look where its program is.

        @raise NotSpawned: it is nowhere.
        """
        return _executable(self.argv[0], self.directory, self.environment)

    def _plain(self) -> dict[str, Any]:
        """The system looks for its program by itself, so given its environment."""
        return {"cwd": self.directory, "env": self.environment}

    @contextlib.contextmanager
    def _prepared(self) -> Iterator[dict[str, Any]]:
        """Have it prepare itself; what it cannot is told through a pipe."""
        with _reserved(len(self.sockets)) as taken, _pipe() as (heard, said):
            try:
                yield {"env": None, "preexec_fn": lambda: self._prepare(said), "pass_fds": taken}
            except subprocess.SubprocessError as error:
                os.write(said, b".")  # so that there is something to read
                told = os.read(heard, 4096).decode("utf-8", "replace").rstrip(".")
                reason = told or f'the program "{self.argv[0]}" cannot be started: {error}'
                raise NotSpawned(reason=reason.rstrip(".")) from error

    def _prepare(self, said: int) -> None:
        """In the child: whatever makes it another one than the agent is, the last first."""
        for failed, take in self._steps():
            try:
                take()
            except Exception as error:
                reason = getattr(error, "strerror", None) or str(error)
                os.write(said, f"{failed}: {reason}".encode())
                raise

    def _steps(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Each with what is said if it fails."""
        if self.sockets:
            yield "its sockets cannot be passed", self._pass_sockets
        yield f'the program "{self.argv[0]}" cannot be started', self._set_environment
        if self.cgroup:
            yield "it cannot join its cgroup", self._join
        for name, soft, hard in self.rlimits:
            yield f"its limit of {name} cannot be set", partial(_limit, name, soft, hard)
        yield "it cannot become its user and groups", self.account.assume
        yield f"its directory {self.directory} cannot be entered", partial(os.chdir, self.directory)

    def _pass_sockets(self) -> None:
        above = FIRST + len(self.sockets)
        copies = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, above) for number in self.sockets]
        for place, copy in enumerate(copies, FIRST):
            os.dup2(copy, place)

    def _set_environment(self) -> None:
        os.environ.clear()
        os.environ.update(self.environment)
        if self.sockets:
            os.environ["LISTEN_FDS"] = str(len(self.sockets))
            os.environ["LISTEN_FDNAMES"] = ":".join(self.names)
            os.environ["LISTEN_PID"] = str(os.getpid())

    def _join(self) -> None:
        with open(f"{self.cgroup}/cgroup.procs", "w") as file:
            file.write("0")


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def _limit(name: str, soft: int, hard: int) -> None:
    known = {UNLIMITED: resource.RLIM_INFINITY}
    number = getattr(resource, f"RLIMIT_{name.upper()}")
    resource.setrlimit(number, (known.get(soft, soft), known.get(hard, hard)))


@contextlib.contextmanager
def _reserved(count: int) -> Iterator[tuple[int, ...]]:
    """Descriptors from L{FIRST} on that nothing else is opened at meanwhile.

    Else the pipe by which L{subprocess.Popen} learns of errors may get one of them, and be lost.
    """
    places = tuple(range(FIRST, FIRST + count))
    opened: list[int] = []
    try:
        while count and (not opened or opened[-1] < places[-1]):
            opened.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        yield places
    finally:
        for number in opened:
            os.close(number)


def _executable(program: str, directory: str, environment: Mapping[str, str]) -> str:
    """The program's file, looked for where the child itself would look."""
    if "/" in program:
        return os.path.join(directory, program)
    path = environment.get("PATH", os.defpath)
    places = path and ":".join(os.path.join(directory, each) for each in path.split(":"))
    found = shutil.which(program, path=places)
    if found is None:
        raise NotSpawned(reason=f'the program "{program}" is not on the PATH, or not executable')
    return os.path.join(directory, found)


@contextlib.contextmanager
def _no_signal_blocked() -> Iterator[None]:
    """What the agent's own parent may have blocked is not blocked in its children."""
    before = signals.pthread_sigmask(signals.SIG_SETMASK, ())
    try:
        yield
    finally:
        signals.pthread_sigmask(signals.SIG_SETMASK, before)


def _refusal(program: str, executable: str, directory: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError) and os.path.exists(executable):
        return f'the interpreter that "{program}" names in its first line is not there'
    if isinstance(error, FileNotFoundError):
        return f'there is no program "{program}"'
    if isinstance(error, PermissionError) and not os.access(directory, os.X_OK):
        return f"its directory {directory} may not be entered"
    if isinstance(error, PermissionError):
        return f'the program "{program}" may not be executed'
    return f'the program "{program}" cannot be started: {getattr(error, "strerror", None) or error}'
