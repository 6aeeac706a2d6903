"""Processes: how a launch becomes a child, and what a predecessor has started becomes ours."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from zope.interface import implementer

from pop.accounts import Account, account_of
from pop.census import Census, end, living
from pop.cgroup import Cgroups, own_cgroup, remove
from pop.environments import Environments, inherited
from pop.errors import NotSpawned
from pop.execution import Execution
from pop.exitstatus import reap
from pop.interfaces import IProcess, ISpawner
from pop.kin import Kin, began
from pop.leftovers import Leftovers, Note
from pop.listening import name as socket_name
from pop.marks import Marks, marked
from pop.notices import hear, is_heard, variables
from pop.program import Launch, Left
from pop.slots import filename, service_of
from pop.sockets import Sockets
from pop.tree import Tree

SECRETS = (
    "POP_ADMIN_IDENTITY",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
)
"""Variables of the agent's own that are none of its children's business."""


Streams = tuple[Any, Any, Any]
"""A program's standard input, output and error: files, or their descriptors."""


@implementer(ISpawner)
class Spawner:
    """Starts children whose files lie in a state directory.

    @ivar sockets: those that it holds for its children.
    @ivar environments: the Python environments that some of them run in.
    @param environment: what the children inherit.
    @param cgroups: makes theirs; by default below the agent's own.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        state_dir: Path,
        environment: Mapping[str, str],
        sockets: Sockets | None = None,
        cgroups: Cgroups | None = None,
    ) -> None:
        self.sockets = Sockets() if sockets is None else sockets
        self.environments = Environments(state_dir)
        self._reactor = reactor
        self._state_dir = state_dir
        self._environment = {k: v for k, v in environment.items() if k not in SECRETS}
        self._cgroups = Cgroups(own_cgroup()) if cgroups is None else cgroups
        self._leftovers = Leftovers(state_dir / "run")
        self._marks = Marks(state_dir)
        self._census = Census(reactor)

    def left(self) -> list[Left]:
        """See L{ISpawner.left}. What was started, but never noted, is ended."""
        notes = self._leftovers.read()
        noted = {note.mark for note in notes}
        end(lambda mark: self._marks.has(mark) and mark not in noted)
        return [note.left() for note in notes]

    def adopt(self, left: Left, protocol: ProcessProtocol) -> IProcess:
        """See L{ISpawner.adopt}."""
        note, launch = self._leftovers.of(left.name), left.launch
        with ExitStack() as ended:
            try:
                self._hear(left.name, launch, protocol, account_of(launch), ended)
            except NotSpawned as error:  # it runs all the same
                self._log.error("{slot} is not heard: {error}", slot=left.name, error=error)
            self._remove(note.cgroup, ended)
            if launch.sockets:
                pids = [note.pid, *living([note.kin()])[0]]
                self.sockets.recover(service_of(left.name), launch.sockets, pids)
            return self._tree(note, protocol, lambda: reap(note.pid), ended.pop_all())

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> IProcess:
        """See L{ISpawner.spawn}."""
        account = account_of(launch)
        if launch.program.recipe is not None:
            self.environments.used(service_of(name), launch.program.recipe)
        with ExitStack() as ended:
            told = self._hear(name, launch, protocol, account, ended)
            mark = self._marks.new()
            cgroup = self._cgroups.make(f"{mark:x}", launch.limits)
            self._remove(cgroup, ended)
            execution = replace(
                self._execution(name, launch, account, told, self._inherited(launch)),
                rlimits=launch.limits.rlimits,
                sockets=self.sockets.hold(service_of(name), launch.sockets),
                names=tuple(map(socket_name, launch.sockets)),
                cgroup=cgroup,
            )
            with marked(mark) as mark:
                popen = _begin(execution, launch, self.output(name))
            try:
                note = self._leftovers.note(name, launch, popen.pid, mark, cgroup)
            except OSError as error:
                _undo(popen)
                where = f"{self._leftovers.directory}: {error.strerror}"
                raise NotSpawned(reason=f"it cannot be noted in {where}") from error
            return self._tree(note, protocol, popen.wait, ended.pop_all())

    def errand(
        self, name: str, launch: Launch, output: BinaryIO, protocol: ProcessProtocol
    ) -> IProcess:
        """Start a program beside an instance, in the same place and as the same user.

        It is not noted: a successor ends what is left of it, and does not adopt it.

        @raise NotSpawned: it cannot be started.
        """
        with output, _stdin(launch.program.stdin) as stdin:
            return self.errand_between(name, launch, (stdin, output, output), protocol)

    def errand_between(
        self, name: str, launch: Launch, streams: Streams, protocol: ProcessProtocol
    ) -> IProcess:
        """The same, with all its streams given; they are left open here."""
        execution = self._execution(name, launch, account_of(launch), {}, self._environment)
        with marked(self._marks.new()) as mark:
            popen = execution.begin(*streams)
        try:
            kin = Kin(popen.pid, began(popen.pid), mark)
        except OSError as error:
            _undo(popen)
            raise NotSpawned(reason=f"it cannot be looked after: {error.strerror}") from error
        return Tree(self._reactor, kin, self._census, protocol, popen.wait, _nothing, _nothing)

    def release(self, service: str) -> None:
        """See L{ISpawner.release}."""
        self.sockets.release(service)

    def written(self, name: str) -> int:
        """See L{ISpawner.written}. What was rotated away counts: a hole is as long as that was."""
        try:
            return os.stat(self._log_path(name)).st_size
        except OSError:
            return 0

    def _tree(
        self,
        note: Note,
        protocol: ProcessProtocol,
        reap: Callable[[], int | None],
        ended: ExitStack,
    ) -> Tree:
        def remember(ready: bool, state: Mapping[str, Any] | None) -> None:
            try:
                self._leftovers.amend(note, ready, state)
            except OSError as error:  # it is of use only if this agent is killed
                self._log.error("{slot} cannot be noted: {error}", slot=note.slot, error=error)

        ended.callback(self._leftovers.forget, note)
        return Tree(self._reactor, note.kin(), self._census, protocol, reap, remember, ended.close)

    def _hear(
        self,
        name: str,
        launch: Launch,
        protocol: ProcessProtocol,
        account: Account,
        ended: ExitStack,
    ) -> dict[str, str]:
        """Listen to what it says of itself; gives the variables that tell it so."""
        if not is_heard(launch):
            return {}
        path, unlisten = hear(self._reactor, self._state_dir, name, protocol, account.uid)
        ended.callback(unlisten)
        return variables(launch, path)

    def _remove(self, cgroup: str | None, ended: ExitStack) -> None:
        if cgroup is not None:
            ended.callback(remove, cgroup)

    def _execution(
        self,
        name: str,
        launch: Launch,
        account: Account,
        told: Mapping[str, str],
        inherited: Mapping[str, str],
    ) -> Execution:
        environment = {
            **inherited,
            **account.variables(),
            **launch.environment,
            **launch.program.environment,
            **told,
        }
        return Execution(
            argv=launch.program.argv,
            directory=self._directory(name, launch, account),
            environment=environment | self._python(name, launch, environment),
            account=account,
            umask=launch.umask,
        )

    def _python(self, name: str, launch: Launch, environment: Mapping[str, str]) -> dict[str, str]:
        """What has it run in its Python environment."""
        recipe, path = launch.program.recipe, environment.get("PATH", os.defpath)
        if recipe is None:
            return {}
        return self.environments.variables(service_of(name), recipe, path)

    def _inherited(self, launch: Launch) -> dict[str, str]:
        """The agent's own variables; another Python is not to take them for its own."""
        return inherited(self._environment) if launch.program.recipe else self._environment

    def output(self, name: str) -> BinaryIO:
        """Its log: the child writes there by itself, so the agent may come and go."""
        path = self._log_path(name)
        try:
            return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
        except OSError as error:
            raise NotSpawned(reason=f"cannot open its log {path}: {error.strerror}") from error

    def _log_path(self, name: str) -> Path:
        return self._state_dir / "log" / filename(name, ".log")

    def _directory(self, name: str, launch: Launch, account: Account) -> str:
        if launch.directory is not None:
            if not os.path.isdir(launch.directory):
                raise NotSpawned(reason=f"there is no directory {launch.directory}")
            return launch.directory
        own = self._state_dir / "services" / filename(name, "")
        try:
            own.mkdir(mode=0o700, exist_ok=True)
            if account.uid is not None and own.stat().st_uid != account.uid:
                os.chown(own, account.uid, -1 if account.gid is None else account.gid)
        except OSError as error:
            raise NotSpawned(reason=f"cannot make its directory {own}: {error.strerror}") from error
        return str(own)


def _begin(execution: Execution, launch: Launch, output: BinaryIO) -> "subprocess.Popen[bytes]":
    with output, _stdin(launch.program.stdin) as stdin:
        return execution.begin(stdin, output)


def _undo(popen: "subprocess.Popen[bytes]") -> None:
    popen.kill()
    popen.wait()


def _nothing(*_: object) -> None:
    """There is nothing to note, and nothing to end."""


def _stdin(data: bytes) -> Any:
    if not data:
        return nullcontext(subprocess.DEVNULL)
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        file.write(data)
        file.seek(0)
    except OSError as error:
        raise NotSpawned(reason=f"cannot write its standard input: {error.strerror}") from error
    return file
