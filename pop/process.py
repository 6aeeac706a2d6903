"""Processes: how a launch becomes a child."""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal as signals
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from zope.interface import implementer

from pop.errors import NotSpawned
from pop.exitstatus import reap
from pop.interfaces import IProcess, ISpawner
from pop.kin import Kin, began, end, strays
from pop.leftovers import Leftovers, Note
from pop.marks import Marks, marked
from pop.program import Launch, Left
from pop.protocols.notify import Notice, listen
from pop.slots import filename
from pop.tree import Tree

SECRETS = ("POP_ADMIN_IDENTITY", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC")
"""Variables of the agent's own that are none of its children's business."""


@implementer(ISpawner)
class Spawner:
    """Starts children whose files lie in a state directory.

    @param environment: what the children inherit.
    """

    _log = Logger()

    def __init__(self, reactor: Any, state_dir: Path, environment: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._state_dir = state_dir
        self._environment = {k: v for k, v in environment.items() if k not in SECRETS}
        self._leftovers = Leftovers(state_dir / "run")
        self._marks = Marks(state_dir)

    def left(self) -> list[Left]:
        """See L{ISpawner.left}. What was started, but never noted, is ended."""
        notes = self._leftovers.read()
        noted = {note.mark for note in notes}
        end(lambda: strays(lambda mark: self._marks.has(mark) and mark not in noted))
        return [note.left() for note in notes]

    def adopt(self, left: Left, protocol: ProcessProtocol) -> IProcess:
        """See L{ISpawner.adopt}."""
        note = self._leftovers.of(left.name)
        account = _account(left.launch.user)
        unlisten, _ = self._heard(left.name, left.launch, protocol, account)
        return self._tree(note, protocol, lambda: reap(note.pid), unlisten)

    def spawn(self, name: str, launch: Launch, protocol: ProcessProtocol) -> IProcess:
        """See L{ISpawner.spawn}."""
        account = _account(launch.user)
        directory = self._directory(name, launch, account)
        unlisten, told = self._heard(name, launch, protocol, account)
        environment = self._variables(launch, account) | told
        try:
            with marked(self._marks.new()) as mark:
                popen = self._popen(self._output(name), launch, directory, environment, account)
        except BaseException:
            unlisten()
            raise
        try:
            note = self._leftovers.note(name, launch, popen.pid, mark)
        except OSError as error:
            popen.kill()
            popen.wait()
            unlisten()
            where = f"{self._leftovers.directory}: {error.strerror}"
            raise NotSpawned(reason=f"it cannot be noted in {where}") from error
        return self._tree(note, protocol, popen.wait, unlisten)

    def errand(
        self, name: str, launch: Launch, output: BinaryIO, protocol: ProcessProtocol
    ) -> IProcess:
        """Start a program beside an instance, in the same place and as the same user.

        It is not noted: a successor ends what is left of it, and does not adopt it.

        @raise NotSpawned: it cannot be started.
        """
        account = _account(launch.user)
        directory = self._directory(name, launch, account)
        environment = self._variables(launch, account)
        with marked(self._marks.new()) as mark:
            popen = self._popen(output, launch, directory, environment, account)
        kin = Kin(popen.pid, began(popen.pid), mark)
        return Tree(self._reactor, kin, protocol, popen.wait, _nothing, _nothing)

    def _tree(
        self,
        note: Note,
        protocol: ProcessProtocol,
        reap: Callable[[], int | None],
        unlisten: Callable[[], object],
    ) -> Tree:
        def remember(ready: bool, state: Mapping[str, Any] | None) -> None:
            try:
                self._leftovers.amend(note, ready, state)
            except OSError as error:  # it is of use only if this agent is killed
                self._log.error("{slot} cannot be noted: {error}", slot=note.slot, error=error)

        def ended() -> None:
            self._leftovers.forget(note)
            unlisten()

        kin = Kin(note.pid, note.began, note.mark)
        return Tree(self._reactor, kin, protocol, reap, remember, ended)

    def _heard(
        self,
        name: str,
        launch: Launch,
        protocol: ProcessProtocol,
        account: pwd.struct_passwd | None,
    ) -> tuple[Callable[[], object], dict[str, str]]:
        """How to end listening to what it says of itself, and the variables that say where."""
        if not launch.program.notifies:
            return _nothing, {}
        unlisten, path = self._listen(name, protocol, account)
        return unlisten, {"NOTIFY_SOCKET": path}

    def _popen(
        self,
        output: BinaryIO,
        launch: Launch,
        directory: str,
        environment: dict[str, str],
        account: pwd.struct_passwd | None,
    ) -> "subprocess.Popen[bytes]":
        argv = launch.program.argv
        who: dict[str, Any] = {}
        if account and account.pw_uid != os.geteuid():
            groups = os.getgrouplist(account.pw_name, account.pw_gid)
            who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}
        with output as log, _stdin(launch.program.stdin) as stdin, _no_signal_blocked():
            executable = _executable(argv[0], directory, environment)
            try:
                return subprocess.Popen(
                    [executable, *argv[1:]],
                    stdin=stdin,
                    stdout=log,
                    stderr=log,
                    cwd=directory,
                    env=environment,
                    start_new_session=True,
                    **who,
                )
            except (OSError, ValueError) as error:
                raise NotSpawned(reason=_refusal(argv[0], executable, directory, error)) from error

    def _output(self, name: str) -> BinaryIO:
        """The child writes there by itself, so the agent may come and go."""
        path = self._state_dir / "log" / filename(name, ".log")
        try:
            return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
        except OSError as error:
            raise NotSpawned(reason=f"cannot open its log {path}: {error.strerror}") from error

    def _directory(self, name: str, launch: Launch, account: pwd.struct_passwd | None) -> str:
        if launch.directory is not None:
            if not os.path.isdir(launch.directory):
                raise NotSpawned(reason=f"there is no directory {launch.directory}")
            return launch.directory
        own = self._state_dir / "services" / filename(name, "")
        try:
            own.mkdir(mode=0o700, exist_ok=True)
            if account and own.stat().st_uid != account.pw_uid:
                os.chown(own, account.pw_uid, account.pw_gid)
        except OSError as error:
            raise NotSpawned(reason=f"cannot make its directory {own}: {error.strerror}") from error
        return str(own)

    def _variables(self, launch: Launch, account: pwd.struct_passwd | None) -> dict[str, str]:
        found = dict(self._environment)
        if account:
            found.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)
        return {**found, **launch.environment, **launch.program.environment}

    def _listen(
        self, name: str, protocol: ProcessProtocol, account: pwd.struct_passwd | None
    ) -> tuple[Callable[[], object], str]:
        """A socket of the instance's own, and how to end it.

        Its name is short, since a path may have 107 bytes.
        """
        short = hashlib.sha256(name.encode()).hexdigest()[:16]
        sockets = notify_directory(self._state_dir)
        path = str(sockets / short)
        heard: Callable[[Notice], None] = protocol.notified  # type: ignore[attr-defined]
        try:
            own_directory(sockets, passing_mode())  # it may lie where others clean up
            unlisten = listen(self._reactor, path, heard, account.pw_uid if account else None)
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or error.socketError
            raise NotSpawned(reason=f"cannot listen at {path}: {reason}") from error
        except OSError as error:
            raise NotSpawned(reason=f"cannot listen at {path}: {error.strerror}") from error
        return unlisten, path


def _nothing(*_: object) -> None:
    """There is no socket to end, and nothing to note."""


def notify_directory(state_dir: Path) -> Path:
    """Where the notify sockets lie: in the state directory, unless its path is too long for one."""
    inside = state_dir / "notify"
    if len(os.fsencode(inside)) <= 80:
        return inside
    short = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"pop-{os.geteuid()}-{short}"


def passing_mode() -> int:
    """The mode of a directory that children may have to pass through.

    Those of an agent that is root may be other users; they see nothing in there but their own.
    """
    return 0o711 if os.geteuid() == 0 else 0o700


def own_directory(path: Path, mode: int) -> None:
    """Make a directory that is there for nobody else, or make sure that it is ours.

    @raise OSError: it cannot be made, or somebody else did.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise OSError(0, f"{path} belongs to somebody else")
    path.chmod(mode)


def _account(user: str | None) -> pwd.struct_passwd | None:
    if user is None:
        return None
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        raise NotSpawned(reason=f'there is no user "{user}"') from error
    if os.geteuid() not in (0, account.pw_uid):
        raise NotSpawned(reason=f'only an agent that is root can run it as "{user}"')
    return account


def _executable(program: str, directory: str, environment: Mapping[str, str]) -> str:
    """The program's file, looked for where the child itself would look."""
    if "/" in program:
        return os.path.join(directory, program)
    found = shutil.which(program, path=environment.get("PATH", os.defpath))
    if found is None:
        raise NotSpawned(reason=f'the program "{program}" is not on the PATH, or not executable')
    return os.path.join(directory, found)


def _stdin(data: bytes) -> Any:
    if not data:
        return open(os.devnull, "rb")
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        file.write(data)
        file.seek(0)
    except OSError as error:
        raise NotSpawned(reason=f"cannot write its standard input: {error.strerror}") from error
    return file


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
