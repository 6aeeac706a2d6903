"""The log of a framework: written and read by bundles, and at the shell."""

import logging
import threading
from contextlib import redirect_stderr
from io import StringIO
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, STDLibLogObserver, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.components import ComponentFactory, Requires, Validate, use_ipopo
from pop.components.context import BundleContext
from pop.components.errors import NotAListener
from pop.components.framework import Framework
from pop.components.log import LOG_READER_SERVICE, LOG_SERVICE, LogReader
from pop.components.logentry import LogEntry, read_level
from pop.components.logs import Log
from pop.test.test_component_shell import ShellCase

PYTHONS = logging.getLogger("a.library")


class Hearing:
    """A listener."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def logged(self, entry: LogEntry) -> Any:
        """For the log."""
        self.heard.append(entry.message)


class Failing(Hearing):
    """One that fails at each entry, at once or later."""

    def __init__(self, later: Deferred[None] | None = None) -> None:
        super().__init__()
        self.later = later

    def logged(self, entry: LogEntry) -> Any:
        """For the log."""
        super().logged(entry)
        if self.later is None:
            raise ValueError("no ear")
        return self.later


class LogCase(SynchronousTestCase):
    """A framework with a log."""

    properties: ClassVar[dict[str, Any]] = {}

    def setUp(self) -> None:
        self.clock = Clock()
        self.framework, self.context = self.begin()
        self.log, self.reader = self.find(self.context)

    def begin(self) -> tuple[Framework, BundleContext]:
        """One more framework."""
        framework = Framework(self.properties, clock=self.clock, environment={})
        framework.install_bundle("pop.components.log")
        self.successResultOf(framework.start())
        self.addCleanup(lambda: self.successResultOf(framework.stop()))
        return framework, framework.get_bundle_context()

    def find(self, context: BundleContext) -> tuple[Log, LogReader]:
        """What writes, and what reads."""
        found = map(context.get_service_reference, (LOG_SERVICE, LOG_READER_SERVICE))
        log, reader = (context.get_service(each) for each in found if each is not None)
        return log, reader

    def messages(self) -> list[str]:
        """What is in the log."""
        return [entry.message for entry in self.reader.get_log()]


class WritingTests(LogCase):
    """What gets into the log."""

    def test_entry(self) -> None:
        """An entry tells its level, message, time, bundle and the registration it is about."""
        reference = self.context.register_service("x", object()).reference
        self.log.warning("{not} a format", reference=reference)
        [entry] = self.reader.get_log()
        self.assertEqual(
            (logging.WARNING, 2, "{not} a format", self.framework, reference, None),
            (
                entry.level,
                entry.osgi_level,
                entry.message,
                entry.bundle,
                entry.reference,
                entry.exception,
            ),
        )
        self.assertGreater(entry.time, 0)
        self.assertIn("WARNING", str(entry))
        self.assertIn("[pop.framework] {not} a format", str(entry))

    def test_levels(self) -> None:
        """Each way to write has its level; OSGi counts them the other way."""
        self.reader.set_level(logging.DEBUG)
        for write in (self.log.debug, self.log.info, self.log.warn, self.log.error):
            write("x")
        self.log.log(logging.CRITICAL, "x")
        self.log.log(35, "x")
        self.assertEqual(
            [(10, 4), (20, 3), (30, 2), (40, 1), (50, 1), (30, 2)],
            [(entry.level, entry.osgi_level) for entry in self.reader.get_log()],
        )

    def test_exception(self) -> None:
        """What was raised is kept as its traceback, whichever way it is given."""
        try:
            raise ValueError("a reason")
        except ValueError as error:
            for given in (error, (type(error), error, error.__traceback__), True):
                self.log.error("it failed", given)
        for entry in self.reader.get_log():
            self.assertIn("ValueError: a reason", entry.exception or "")
            self.assertIn("ValueError: a reason", str(entry))
        self.assertEqual(3, len(self.flushLoggedErrors(ValueError)))
        self.log.error("nothing is being handled", True)
        self.log.error("no exception at all", "nonsense")
        self.assertEqual([None, None], [entry.exception for entry in self.reader.get_log()[3:]])

    def test_component(self) -> None:
        """What a component logs is from its bundle."""

        @ComponentFactory("writer")
        @Requires("_log", LOG_SERVICE)
        class Writer:
            _log: Log

            @Validate
            def validate(self, context: BundleContext) -> None:
                self._log.info("valid")

        self.successResultOf(self.framework.install_bundle("pop.components.ipopo").start())
        bundle = self.framework.get_bundle_by_name("pop.components.log")
        assert bundle is not None
        with use_ipopo(self.context) as ipopo:
            ipopo.register_factory(bundle.get_bundle_context(), Writer)
            ipopo.instantiate("writer", "writer")
        [entry] = self.reader.get_log()
        self.assertEqual(("valid", bundle), (entry.message, entry.bundle))

    def test_twisteds(self) -> None:
        """What is logged by Twisted's own means is there, with the bundle whose module did so."""
        Logger("pop.components.log").info("by {whom}", whom="a bundle")
        Logger("elsewhere").info("by another")
        ours, other = self.reader.get_log()
        self.assertEqual(("by a bundle", "by another"), (ours.message, other.message))
        self.assertEqual("pop.components.log", ours.bundle.get_symbolic_name())
        self.assertIsNone(other.bundle)

    def test_pythons(self) -> None:
        """What Python's own log is given is in Twisted's, once, and in each framework's."""
        _, other = self.begin()
        seen: list[Any] = []
        observer: Any = seen.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        PYTHONS.warning("%d %%", 5)
        self.assertEqual(["5 %"], self.messages())
        self.assertEqual(["5 %"], [entry.message for entry in self.find(other)[1].get_log()])
        self.assertEqual(["a.library"], [event["log_namespace"] for event in seen])

    def test_no_circle(self) -> None:
        """Where Twisted's log is given to Python's, nothing goes round."""
        observer = STDLibLogObserver()
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.log.warning("once")
        PYTHONS.warning("this, too")
        self.assertEqual(["once", "this, too"], self.messages())

    def test_no_circle_by_name(self) -> None:
        """Whatever name what Twisted's log is given to has, or whoever gives it."""
        observers: list[Any] = [
            STDLibLogObserver(name="shop"),
            lambda event: logging.getLogger("shop").warning(event["said"]),
        ]
        for observer in observers:
            globalLogPublisher.addObserver(observer)
            try:
                PYTHONS.warning("once")
            finally:
                globalLogPublisher.removeObserver(observer)
        self.assertEqual(["once", "once"], self.messages())

    def test_not_formatted(self) -> None:
        """What cannot be written is complained of as Python does it, and not to who wrote it."""
        with redirect_stderr(StringIO()) as complaints:
            PYTHONS.warning("%d", "x")
        self.assertIn("Logging error", complaints.getvalue())
        PYTHONS.warning("afterwards")
        self.assertEqual(["afterwards"], self.messages())

    def test_apart(self) -> None:
        """What a bundle of one framework writes is not in the log of another."""
        _, other = self.begin()
        self.log.info("here")
        self.assertEqual((), self.find(other)[1].get_log())

    def test_ends(self) -> None:
        """A bundle that is stopped keeps nothing more, and leaves Python's log as it was."""
        before = list(logging.getLogger().handlers)
        framework, context = self.begin()
        _, reader = self.find(context)
        self.successResultOf(framework.stop())
        Logger("elsewhere").info("x")
        self.assertEqual(((), before), (reader.get_log(), logging.getLogger().handlers))


class ReadingTests(LogCase):
    """Who is told."""

    def test_listeners(self) -> None:
        """A listener is told of each entry once, however often it is added, until removed."""
        hearing = Hearing()
        self.assertTrue(self.reader.add_log_listener(hearing))
        self.assertFalse(self.reader.add_log_listener(hearing))
        self.log.info("one")
        self.assertTrue(self.reader.remove_log_listener(hearing))
        self.assertFalse(self.reader.remove_log_listener(hearing))
        self.log.info("two")
        self.assertEqual(["one"], hearing.heard)
        for none in (None, object()):
            self.assertRaises(NotAListener, self.reader.add_log_listener, none)

    def test_failing(self) -> None:
        """One that fails, at once or later, harms nobody else; it is logged, once."""
        later: Deferred[None] = Deferred()
        hearing = Hearing()
        for listener in (Failing(), Failing(later), hearing):
            self.reader.add_log_listener(listener)
        self.log.info("one")
        self.assertEqual(["one"], hearing.heard)
        self.assertIn("logged of bundle pop.framework failed", self.messages())
        later.errback(ValueError("no ear"))
        self.assertEqual(3, len(self.messages()))
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))

    def test_logging_listener(self) -> None:
        """What a listener logs while it is told is kept, and told to nobody, itself included."""
        case = self

        class Echo(Hearing):
            def logged(self, entry: LogEntry) -> None:
                super().logged(entry)
                case.log.info(f"heard {entry.message}")

        echo = Echo()
        self.reader.add_log_listener(echo)
        self.log.info("one")
        self.assertEqual(["one"], echo.heard)
        self.assertEqual(["one", "heard one"], self.messages())

    def test_released(self) -> None:
        """The listeners of a bundle that stops, or gives its reader back, are told no more.

        In iPOPO they are told for ever.
        """
        hearing = Hearing()
        reference = self.context.get_service_reference(LOG_READER_SERVICE)
        assert reference is not None
        self.reader.add_log_listener(hearing)
        bundle = self.framework.install_bundle("pop.components.ipopo")
        self.successResultOf(bundle.start())
        theirs = bundle.get_bundle_context().get_service(reference)
        theirs.add_log_listener(hearing)
        self.log.info("one")
        self.successResultOf(bundle.stop())
        self.log.info("two")
        self.context.unget_service(reference)
        self.log.info("three")
        self.assertEqual(["one", "one", "two"], hearing.heard)


class ThreadsTests(TestCase):
    """Entries from other threads."""

    async def test_threads(self) -> None:
        """What another thread logs is noted, and told, in the reactor's."""
        from twisted.internet import reactor

        told: list[tuple[str, bool]] = []

        class Here(Hearing):
            def logged(self, entry: LogEntry) -> None:
                told.append((entry.message, threading.current_thread() is mine))

        mine = threading.current_thread()
        clock: Any = reactor
        framework = Framework(clock=clock, environment={})
        self.addCleanup(framework.stop)
        await framework.start()
        await framework.install_bundle("pop.components.log").start()
        context = framework.get_bundle_context()
        reference = context.get_service_reference(LOG_READER_SERVICE)
        assert reference is not None
        context.get_service(reference).add_log_listener(Here())
        await deferToThread(PYTHONS.warning, "from afar")
        self.assertEqual([("from afar", True)], told)


class BoundsTests(LogCase):
    """How much is kept, where the framework says so."""

    properties: ClassVar[dict[str, Any]] = {
        "pelix.log.level": "warning",
        "pelix.log.max_entries": "2",
    }

    def test_bounds(self) -> None:
        """What matters less than the level is not kept, and the latest so many are."""
        for text in ("one", "two", "three"):
            self.log.info(text)
            self.log.error(text)
        self.assertEqual(["two", "three"], self.messages())


class NonsenseTests(LogCase):
    """How much is kept, where what the framework says is nonsense."""

    properties: ClassVar[dict[str, Any]] = {
        "pelix.log.level": "much",
        "pelix.log.max_entries": "-1",
    }

    def test_bounds(self) -> None:
        """The level is information, and 100 entries are kept."""
        self.assertEqual(logging.INFO, self.reader.get_level())
        for number in range(101):
            self.log.info(number)
        self.assertEqual(100, len(self.reader.get_log()))

    def test_level(self) -> None:
        """A level has a number or a name."""
        given = ["10", 30, "warn", " Error ", "", None, "x", True]
        self.assertEqual(
            [10, 30, 30, 40, None, None, None, None], [read_level(each) for each in given]
        )


class ShellTests(ShellCase):
    """At the shell."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("pop.components.log", "pop.components.shell.logs"):
            self.done(self.context.install_bundle(name).start())

    def test_written(self) -> None:
        """What is written by commands is shown: what matters enough, the last of it."""
        self.assertEqual("", self.said("log"))
        for line in ("log.info {an} 'info'", "warn one", "error two", "debug not kept"):
            self.assertEqual("", self.said(line))
        for line, expected in (
            ("log.log", ["one", "two"]),
            ("log info", ["{an} info", "one", "two"]),
            ("log info 2", ["one", "two"]),
            ("log info 0", []),
            ("log error 5", ["two"]),
        ):
            lines = self.said(line).splitlines()
            self.assertEqual(expected, [each.rpartition("] ")[2] for each in lines], line)
        self.assertIn("[pop.components.shell.logs]", self.said("log"))

    def test_level(self) -> None:
        """How much matters enough can be seen, and changed."""
        self.assertEqual("INFO\n", self.said("log.level"))
        self.assertEqual("DEBUG\n", self.said("log.level debug"))
        self.said("debug kept")
        self.assertIn("kept", self.said("log debug"))

    def test_pythons_level(self) -> None:
        """So can what one of Python's loggers hands on."""
        self.addCleanup(PYTHONS.setLevel, PYTHONS.level)
        PYTHONS.info("one")
        self.assertEqual("INFO\n", self.said("loglevel info a.library"))
        PYTHONS.info("two")
        self.assertNotIn("one", self.said("log info"))
        self.assertIn("two", self.said("log info"))

    def test_refused(self) -> None:
        """Nonsense is refused in a sentence; and so is everything where no log is kept."""
        self.assertIn("There is no level much", self.said("log much", well=False))
        self.assertIn("There is no level much", self.said("level much", well=False))
        self.assertIn("-1 is no number of entries", self.said("log info -1", well=False))
        self.said("stop pop.components.log")
        for line in ("log", "log.level", "log.error x"):
            self.assertIn("Start the bundle pop.components.log.", self.said(line, well=False))
