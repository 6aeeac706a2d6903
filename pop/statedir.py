"""The state directory: where one agent keeps its files, and that it is the only one to.

In it lie C{admin.sock} and C{admin-pb.sock} (where the agent can be asked), C{agent.lock} (held
while the agent lives; its text is the agent's pid), C{agent.log} (of an agent in the background),
C{id}, C{journal} and C{journal.old}, C{machine-id} (if one had to be made), C{log/}, C{services/},
C{run/}, C{session}, C{snapshot}, C{upgrade-refused} (why the last upgrade was not made),
C{zookeeper/} (of an agent with a ZooKeeper of its own) and, if its path is short enough for
sockets, C{notify/}.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from pop.directories import notify_directory, own_directory, passing_mode, socket_path
from pop.errors import AgentRuns, BadStateDirectory
from pop.machine import kept_id


def default_directory() -> Path:
    """Where it is unless the operator says otherwise.

    Root's is the system's: the services of other users could not get into root's home.
    """
    import platformdirs  # agents are told, and do without

    if os.geteuid() == 0 and hasattr(platformdirs, "site_state_dir"):
        return Path(platformdirs.site_state_dir("pop"))
    return Path(platformdirs.user_state_dir("pop"))


class StateDirectory:
    """One agent's files."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))
        self._held: IO[str] | None = None

    @property
    def log(self) -> Path:
        """Where an agent in the background writes."""
        return self.path / "agent.log"

    @property
    def logs(self) -> Path:
        """Where what the services write is kept."""
        return self.path / "log"

    @property
    def journal(self) -> Path:
        """Where it is kept what became of the instances, and why; see L{pop.journal}."""
        return self.path / "journal"

    @property
    def admin(self) -> Path:
        """Where the agent can be asked: a UNIX socket."""
        return socket_path(self.path, "admin.sock")

    @property
    def admin_pb(self) -> Path:
        """The same, by Perspective Broker."""
        return socket_path(self.path, "admin-pb.sock")

    @property
    def machine_id(self) -> Path:
        """The machine id, if it had to be made."""
        return self.path / "machine-id"

    @property
    def session(self) -> Path:
        """Which ZooKeeper session the agent has."""
        return self.path / "session"

    @property
    def snapshot(self) -> Path:
        """What this machine should run, as last heard."""
        return self.path / "snapshot"

    @property
    def finished(self) -> Path:
        """What is not to be done once more."""
        return self.path / "finished"

    @property
    def refusal(self) -> Path:
        """Why the last upgrade that was asked for was not made."""
        return self.path / "upgrade-refused"

    @property
    def zookeeper(self) -> Path:
        """Where an embedded ZooKeeper keeps its data."""
        return self.path / "zookeeper"

    def make(self) -> None:
        """Make the directories, for the owner only.

        The children of an agent that is root may be other users: they may pass through to a
        directory or socket of their own, and see nothing else.

        @raise BadStateDirectory: they cannot be made or written to.
        """
        passing = passing_mode()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not ((self.path / "id").exists() or self._is_empty()):
                raise OSError(0, "it has files in it that are not pop's")
            self.id()
            self.path.chmod(passing)
            for name, mode in (("log", 0o700), ("run", 0o700), ("services", passing)):
                own_directory(self.path / name, mode)
            own_directory(notify_directory(self.path), passing)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadStateDirectory(directory=self.path, reason=reason) from error

    def _is_empty(self) -> bool:
        return all(found == self.machine_id for found in self.path.iterdir())

    def id(self) -> str:
        """What tells this directory from all others, wherever it is mounted; made once."""
        return kept_id(self.path / "id")

    def hold(self, descriptor: int | None = None) -> None:
        """Keep other agents out, until this process ends or L{release}.

        @param descriptor: what L{hand_over} gave, before this process became what it is.
        @raise AgentRuns: another one holds it.
        """
        if descriptor is not None and self._take_over(descriptor):
            return
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            lock = os.fdopen(descriptor, "a+")
        except OSError as error:
            reason = error.strerror or str(error)
            raise BadStateDirectory(directory=self.path, reason=reason) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise AgentRuns(pid=self._noted(), directory=self.path) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._held = lock

    def hand_over(self) -> int:
        """Have what this process becomes next hold it: by this descriptor."""
        assert self._held is not None
        os.set_inheritable(self._held.fileno(), True)
        return self._held.fileno()

    def _take_over(self, descriptor: int) -> bool:
        """Whether this process holds it already, by a descriptor that it has inherited."""
        try:
            found, ours = os.fstat(descriptor), self._lock.stat()
            if not os.path.samestat(found, ours):
                return False
            os.set_inheritable(descriptor, False)
            self._held = os.fdopen(descriptor, "a+")
        except OSError:
            return False
        return True

    def release(self) -> None:
        """Let other agents in; where the sockets were is of no use to anybody any more."""
        with contextlib.suppress(OSError):
            notify_directory(self.path).rmdir()
        if self._held:
            self._held.close()
            self._held = None

    def holder(self) -> int | None:
        """The pid of the agent that holds it; L{None} if none does."""
        try:
            with open(self._lock) as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return self._noted() or None
        except OSError:
            pass
        return None

    @property
    def _lock(self) -> Path:
        return self.path / "agent.lock"

    def _noted(self) -> int:
        try:
            return int(self._lock.read_text())
        except (OSError, ValueError):
            return 0
