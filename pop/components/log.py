"""The log, for bundles to write and to read: it is Twisted's, so that there is but one.

Who wants to write gets a L{Log} under L{LOG_SERVICE}, who wants to read a L{LogReader} under
L{LOG_READER_SERVICE}. What Python's own L{logging} is given goes to Twisted's log, too.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Final, NamedTuple

from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import ILogObserver, LogEvent, Logger, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from pop.components.bundle import Bundle, BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import NotAListener
from pop.components.framework import Framework
from pop.components.logentry import LogEntry, entry_of, level_of, read_level
from pop.components.logs import Forwarding, Logs
from pop.components.registry import ServiceRegistration

log = Logger()
LOG_SERVICE: Final = "pelix.log"
LOG_READER_SERVICE: Final = "pelix.log.reader"
PROPERTY_LOG_LEVEL: Final = "pelix.log.level"
"""A property of the framework: what matters less is not kept. C{INFO} if it is none."""
PROPERTY_LOG_MAX_ENTRIES: Final = "pelix.log.max_entries"
"""A property of the framework: how many entries are kept."""
USUAL_ENTRIES = 100


class Listener(NamedTuple):
    """Who is told, and for which bundle."""

    bundle: Bundle
    target: Any


@implementer(ILogObserver)
class LogBook:
    """What was logged last, and who is told of what is.

    Entries are noted in the thread in which the book was made, the reactor's, whichever they come
    from. What is logged while listeners are told is kept, but told to nobody: one that logs, or
    fails, whenever it is told would never come to an end.

    @ivar level: what matters less is not kept.
    """

    def __init__(self, framework: Framework, level: int, most: int) -> None:
        self.level = level
        self.entries: deque[LogEntry] = deque(maxlen=most)
        self.listeners: list[Listener] = []
        self._framework = framework
        self._thread = get_ident()
        self._quiet = False

    def __call__(self, event: LogEvent) -> None:
        """For Twisted's log, in any thread."""
        if level_of(event) < self.level:
            return
        namespace = event.get("log_namespace") or ""
        entry = entry_of(event, self._framework.get_bundle_by_name(namespace))
        if self._is_of_another(entry.bundle):
            return
        clock: Any = self._framework.patience.clock
        if get_ident() != self._thread and IReactorFromThreads.providedBy(clock):
            clock.callFromThread(self._note, entry)
        else:
            self._note(entry)

    def _is_of_another(self, bundle: Bundle | None) -> bool:
        return bundle is not None and (
            bundle.get_bundle_context().get_framework() is not self._framework
        )

    def _note(self, entry: LogEntry) -> None:
        self.entries.append(entry)
        if not self._quiet:
            for listener in tuple(self.listeners):
                self._tell(listener, entry)

    def _tell(self, listener: Listener, entry: LogEntry) -> None:
        def complain(failure: Failure) -> None:
            with self._quietly():
                log.failure("{who} failed", failure, who=who)

        who = f"logged of bundle {listener.bundle.get_symbolic_name()}"
        try:
            with self._quietly():
                result = listener.target.logged(entry)
        except Exception:
            complain(Failure())
        else:
            if waiting := self._framework.patience.deferred(who, result):
                waiting.addErrback(complain)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


class LogReader:
    """The log as one bundle reads it."""

    def __init__(self, book: LogBook, bundle: Bundle) -> None:
        self._book = book
        self._bundle = bundle

    def get_log(self) -> tuple[LogEntry, ...]:
        """What was logged last, the oldest first."""
        return tuple(self._book.entries)

    def add_log_listener(self, listener: Any) -> bool:
        """Tell a listener, by C{logged(entry)}, from now on; C{False} if it is told already.

        It is told no more once the bundle stops, or has given this reader back.
        @raise NotAListener: it has no such method.
        """
        if not callable(getattr(listener, "logged", None)):
            raise NotAListener(object=listener, method="logged")
        if (mine := Listener(self._bundle, listener)) in self._book.listeners:
            return False
        self._book.listeners.append(mine)
        return True

    def remove_log_listener(self, listener: Any) -> bool:
        """Tell it no more; whether it was told."""
        mine = Listener(self._bundle, listener)
        known = mine in self._book.listeners
        if known:
            self._book.listeners.remove(mine)
        return known

    def get_level(self) -> int:
        """What matters less is not kept, as Python's L{logging} counts."""
        return self._book.level

    def set_level(self, level: int) -> None:
        """Keep what matters so much or more, from now on."""
        self._book.level = level


class Readers:
    """Gives each bundle its L{LogReader}, and takes it back with its listeners."""

    def __init__(self, book: LogBook) -> None:
        self._book = book

    def get_service(self, bundle: Bundle, registration: ServiceRegistration) -> LogReader:
        """For the registry."""
        return LogReader(self._book, bundle)

    def unget_service(self, bundle: Bundle, registration: ServiceRegistration) -> None:
        """For the registry."""
        listeners = self._book.listeners
        listeners[:] = [listener for listener in listeners if listener.bundle is not bundle]


@BundleActivator
class Activator:
    """Keeps a L{LogBook} while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """What is logged from now on is kept."""
        level = read_level(context.get_property(PROPERTY_LOG_LEVEL))
        self.book = LogBook(
            context.get_framework(),
            logging.INFO if level is None else level,
            _entries(context.get_property(PROPERTY_LOG_MAX_ENTRIES)),
        )
        self.forwarding = Forwarding()
        logging.getLogger().addHandler(self.forwarding)
        globalLogPublisher.addObserver(self.book)
        context.register_service(LOG_READER_SERVICE, Readers(self.book), factory=True)
        context.register_service(LOG_SERVICE, Logs(), factory=True)

    def stop(self, context: BundleContext) -> None:
        """Nothing is kept any more."""
        globalLogPublisher.removeObserver(self.book)
        logging.getLogger().removeHandler(self.forwarding)


def _entries(said: Any) -> int:
    text = str(said).strip()
    return int(text) if text.isdecimal() else USUAL_ENTRIES
