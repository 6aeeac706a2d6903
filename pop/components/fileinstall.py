"""Folders that are watched: whoever listens is told which files came, changed and went.

A listener is registered under L{SERVICE_FILEINSTALL_LISTENERS} with the property
C{fileinstall.folder}. It has a method C{folder_change(folder, added, updated, deleted)}, which is
given lists of names and may return a Deferred or be a coroutine function. What a file holds counts,
not its time. The framework's property C{poll.time} says how often to look, in seconds; each second
if nothing does.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from pop.components.bundle import BundleActivator
from pop.components.contents import Contents, Digests
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.patience import Patience
from pop.components.reference import ServiceReference
from pop.components.tracker import Tracker

log = Logger()
SERVICE_FILEINSTALL: Final = "pelix.services.fileinstall"
SERVICE_FILEINSTALL_LISTENERS: Final = "pelix.services.fileinstall.listener"
PROP_FILEINSTALL_FOLDER: Final = "fileinstall.folder"
POLL_TIME: Final = "poll.time"


class NotWatching(BundleException, ValueError):
    """{listener} does not listen to the folder {folder}."""


class BadPollTime(BundleException):
    """{name} should be a number of seconds above 0, and not {value}."""


class _Listener:
    """Somebody who is told what has changed since he was told last, one call at a time."""

    def __init__(self, folder: str, it: Any, patience: Patience) -> None:
        self.folder = folder
        self.it = it
        self._patience = patience
        self._told: Digests = {}
        self._busy = False

    def tell(self, now: Digests) -> None:
        """Tell him, if there is something to tell; if he is busy, another time."""
        if not self._busy and now != self._told:
            Deferred.fromCoroutine(self._tell(self._told, now))

    async def _tell(self, before: Digests, now: Digests) -> None:
        self._busy, self._told = True, now
        added = sorted(now.keys() - before.keys())
        deleted = sorted(before.keys() - now.keys())
        updated = sorted(name for name in now.keys() & before if now[name] != before[name])
        try:
            name = f"folder_change of a listener to {self.folder}"
            call = self.it.folder_change
            await self._patience.call(name, call, self.folder, added, updated, deleted)
        except Exception:
            log.failure("A listener to the folder {folder} failed", folder=self.folder)
        self._busy = False


class FileInstall:
    """Looks at folders for as long as there are listeners to them.

    A folder that is not there, or cannot be read, is looked at again, and nothing of it has gone
    meanwhile. Whoever begins to listen is told of the files that there are when it is looked at the
    next time.

    @param clock: without one, only L{look} looks.
    @param seconds: how often.
    """

    def __init__(self, context: BundleContext, clock: IReactorTime | None, seconds: float) -> None:
        self._patience = context.get_framework().patience
        self._listeners: list[_Listener] = []
        self._said: dict[ServiceReference, str] = {}
        self._folders: dict[str, Contents] = {}
        self._seconds = seconds
        self._loop = LoopingCall(self._begin)
        self._busy = False
        self._read = _reader(clock)
        self._runs = clock is not None
        if clock is not None:
            self._loop.clock = clock
        self._tracker = Tracker(
            context,
            SERVICE_FILEINSTALL_LISTENERS,
            added=self._add,
            modified=self._change,
            removed=self._remove,
        )

    def start(self) -> None:
        """Know those who listen, and those to come."""
        self._tracker.open()

    def stop(self) -> None:
        """Tell nobody any more."""
        self._tracker.close()
        self._listeners.clear()
        self._settle()

    def look(self) -> None:
        """Look at all folders now, and tell those who listen."""
        for folder, contents in list(self._folders.items()):
            self._tell(folder, contents.look())

    def _begin(self) -> None:
        """Look, unless that is still being done."""
        if not self._busy:
            Deferred.fromCoroutine(self._look())

    async def _look(self) -> None:
        """As L{look}, while others do something else."""
        self._busy = True
        for folder, contents in list(self._folders.items()):
            try:
                self._tell(folder, await self._read(contents))
            except Exception:
                log.failure("The folder {folder} cannot be looked at", folder=folder)
        self._busy = False

    def _tell(self, folder: str, now: Digests) -> None:
        for listener in self._to(folder):
            listener.tell(now)

    def add_listener(self, folder: str, listener: Any) -> bool:
        """Tell somebody of a folder from now on; C{False} if he is told already, or it is none."""
        if not folder or any(each.it is listener for each in self._to(folder)):
            return False
        self._listeners.append(_Listener(folder, listener, self._patience))
        self._settle()
        return True

    def remove_listener(self, folder: str, listener: Any) -> None:
        """Tell him no more.

        @raise NotWatching: he was not told.
        """
        found = [each for each in self._to(folder) if each.it is listener]
        if not found:
            raise NotWatching(listener=listener, folder=folder)
        self._listeners.remove(found[0])
        self._settle()

    def _to(self, folder: str) -> list[_Listener]:
        return [each for each in self._listeners if each.folder == folder]

    def _settle(self) -> None:
        """Watch what somebody listens to, and nothing else."""
        wanted = dict.fromkeys(each.folder for each in self._listeners)
        self._folders = {name: self._folders.get(name) or Contents(Path(name)) for name in wanted}
        if not wanted and self._loop.running:
            self._loop.stop()
        elif wanted and not self._loop.running and self._runs:
            self._loop.start(self._seconds, now=False)

    # For those that are registered

    def _add(self, listener: Any, reference: ServiceReference) -> None:
        folder = reference.get_property(PROP_FILEINSTALL_FOLDER)
        if isinstance(folder, str) and self.add_listener(folder, listener):
            self._said[reference] = folder

    def _change(self, listener: Any, reference: ServiceReference) -> None:
        if reference.get_property(PROP_FILEINSTALL_FOLDER) != self._said.get(reference):
            self._remove(listener, reference)
            self._add(listener, reference)

    def _remove(self, listener: Any, reference: ServiceReference) -> None:
        if (folder := self._said.pop(reference, None)) is not None:
            with suppress(NotWatching):  # somebody may have done so by hand
                self.remove_listener(folder, listener)


def _reader(clock: Any) -> Callable[[Contents], Awaitable[Digests]]:
    """What looks at a folder: in a thread, where there are some, since files may be large."""

    async def read(contents: Contents) -> Digests:
        if IReactorThreads.providedBy(clock):
            return await deferToThreadPool(clock, clock.getThreadPool(), contents.look)
        return contents.look()

    return read


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise BadPollTime(name=POLL_TIME, value=repr(value))
    return seconds


@BundleActivator
class Activator:
    """Registers a L{FileInstall} while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """With the framework's clock."""
        framework = context.get_framework()
        clock = framework.patience.clock
        if clock is None:
            log.warn("Nobody looks at folders by himself, since the framework has no clock")
        self._watch = FileInstall(context, clock, _seconds(context.get_property(POLL_TIME) or 1))
        self._watch.start()
        context.register_service(SERVICE_FILEINSTALL, self._watch)

    def stop(self, context: BundleContext) -> None:
        """Leave nothing behind that would look again."""
        self._watch.stop()
