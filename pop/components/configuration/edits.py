"""What people do to the files of configurations."""

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.configuration.admin import ConfigurationAdmin
from pop.components.configuration.configuration import Configuration, check_pid
from pop.components.configuration.errors import reason_of
from pop.components.configuration.persistence import Folder, pid_of

log = Logger()


class Edits:
    """Takes over what was written to a folder, or deleted there, by others.

    It listens to the folder, for the bundle C{pop.components.fileinstall}. What has been written by
    the administration itself is known already, and so is no change.
    """

    def __init__(self, folder: Folder, admin: ConfigurationAdmin) -> None:
        self._folder = folder
        self._admin = admin

    def folder_change(
        self, folder: str, added: Iterable[str], updated: Iterable[str], deleted: Iterable[str]
    ) -> None:
        """Look at these files."""
        for name in (*deleted, *added, *updated):
            if (pid := pid_of(name)) is not None:
                maybeDeferred(self._take, pid).addErrback(_complain, pid)

    def _take(self, pid: str) -> Deferred[Any] | None:
        """As it is now: it may have changed since somebody looked."""
        known = self._admin.find(pid)
        if self._folder.holds(pid):
            return self._admin.accept(check_pid(pid), self._folder.load(pid), self._folder)
        if known is not None and known.home is self._folder:
            return known.lose(lambda: self._keeps(known))
        return None

    def _keeps(self, known: Configuration) -> bool:
        """Whether there is something of it after all, or it has come to be kept elsewhere."""
        return known.home is not self._folder or self._folder.holds(known.get_pid())


def _complain(failure: Failure, pid: str) -> None:
    reason = reason_of(failure.value)
    log.error("The configuration {pid} stays as it was: {reason}", pid=pid, reason=reason)
