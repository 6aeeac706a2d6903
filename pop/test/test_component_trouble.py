"""Components whose callbacks fail, or take their time."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from pop.components import (
    Bind,
    ComponentFactory,
    Invalidate,
    Property,
    Provides,
    Requires,
    Validate,
)
from pop.components.errors import FrameworkException
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Later, Thing
from pop.test.talkers import Talk


class FailingTests(FrameworkTestCase):
    """Callbacks that raise."""

    def failing(self, *methods: str) -> type:
        """A class some of whose callbacks raise."""

        @ComponentFactory("failing")
        class Failing(Talk):
            def __getattribute__(self, name: str) -> Any:
                if name not in methods:
                    return super().__getattribute__(name)

                def fail(*ignored: Any) -> None:
                    self.said.append(name)
                    raise ValueError(name)

                fail.__qualname__ = f"Failing.{name}"
                return fail

        return Failing

    def test_validate(self) -> None:
        """One whose validation fails is invalidated and erroneous; what it provides was never
        registered, and the reason is kept."""
        self.offer()
        failing = self.make(self.failing("validate"))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual(Phase.ERRONEOUS, self.state())
        expected = ["bind", "bind thing", "validate", "invalidate <spec> None"]
        self.assertEqual(expected, failing.take())
        self.assertIn("ValueError", self.ipopo.get_instance_details("a")["error_trace"])
        self.assertIsNone(self.context.get_service_reference("talk"))

    def test_retry(self) -> None:
        """It tries again by itself, after 1 second, then 2, then 4, to 60 at most. (iPOPO never
        does.)"""
        self.offer()
        failing = self.make(self.failing("validate"))
        for wait in (1, 2, 4, 8, 16, 32, 60, 60):
            failing.take()
            self.clock.advance(wait - 0.5)
            self.assertEqual([], failing.take())
            self.clock.advance(0.5)
            self.assertEqual("validate", failing.take()[0])
        self.flushLoggedErrors(ValueError)

    def test_own_retry(self) -> None:
        """How soon, or that it does not, can be said when it is instantiated."""
        self.offer()
        kind = self.failing("validate")
        failing = self.make(kind, pop__components__retry=5)
        self.make(kind, "never", pop__components__retry=False)
        failing.take()
        self.clock.advance(4)
        self.assertEqual([], failing.take())
        self.clock.advance(1)
        self.assertEqual("validate", failing.take()[0])
        self.assertEqual(3, len(self.flushLoggedErrors(ValueError)))

    def test_retry_asked(self) -> None:
        """It tries again when it is asked to, with other properties if these are given; one that is
        valid does not care."""

        @ComponentFactory("picky")
        @Property("x", value=1)
        class Picky:
            x: int

            @Validate
            def validate(self, context: Any) -> None:
                if self.x < 2:
                    raise ValueError("too small")

        picky = self.make(Picky)
        self.assertEqual(Phase.ERRONEOUS, self.state())
        self.assertEqual(Phase.ERRONEOUS, self.ipopo.retry_erroneous("a"))
        self.assertEqual(Phase.VALID, self.ipopo.retry_erroneous("a", {"x": 2}))
        self.assertEqual(2, picky.x)
        self.assertEqual(Phase.VALID, self.ipopo.retry_erroneous("a", {"x": 1}))
        self.assertEqual(2, picky.x)
        self.flushLoggedErrors(ValueError)
        self.assertIsNone(self.ipopo.get_instance_details("a")["error_trace"])

    def test_bounce(self) -> None:
        """It tries again when what it requires has gone and come back. (iPOPO does not.)"""
        thing = self.offer()
        failing = self.make(self.failing("validate"))
        thing.unregister()
        self.assertEqual(Phase.INVALID, self.state())
        failing.take()
        self.offer()
        self.assertIn("validate", failing.take())
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))

    def test_others(self) -> None:
        """What any other callback raises is logged, and life goes on."""
        names = ["bind", "bind_field", "update", "update_field", "unbind", "unbind_field"]
        names += ["invalidate", "registered", "unregistered"]
        thing = self.offer(a=1)
        self.make(self.failing(*names))
        self.assertEqual(Phase.VALID, self.state())
        thing.set_properties({"a": 2})
        thing.unregister()
        self.assertEqual(Phase.INVALID, self.state())
        raised = [str(error.value) for error in self.flushLoggedErrors(ValueError)]
        self.assertEqual(sorted(names), sorted(raised))

    def test_fatal(self) -> None:
        """One that says that it cannot go on is killed; and that the framework cannot, stops it."""

        @ComponentFactory("fatal")
        @Requires("thing", "spec")
        class Fatal:
            needs_stop = False

            @Bind
            def bind(self, thing: Any, reference: Any) -> None:
                raise FrameworkException("no", needs_stop=self.needs_stop)

        self.offer()
        self.make(Fatal)
        self.assertFalse(self.ipopo.is_registered_instance("a"))
        self.assertTrue(self.framework.runs())
        Fatal.needs_stop = True
        self.make(Fatal)
        self.assertFalse(self.framework.runs())
        self.assertEqual(2, len(self.flushLoggedErrors(FrameworkException)))

    def test_init(self) -> None:
        """One whose object cannot be made is refused with the reason, and its name is free."""

        @ComponentFactory("torn")
        class Torn:
            def __init__(self) -> None:
                raise ValueError("torn")

        error = self.assertRaises(TypeError, self.make, Torn)
        self.assertIn("ValueError: torn", str(error))
        self.assertFalse(self.ipopo.is_registered_instance("a"))


class AsynchronousTests(FrameworkTestCase):
    """Callbacks that take their time."""

    def slow(self, **given: Any) -> tuple[type, Later, Later]:
        """A class that becomes valid and invalid when it is told to."""
        begin, end = Later(), Later()

        @ComponentFactory("slow")
        @Provides("slow")
        @Requires("thing", "spec", **given)
        class Slow:
            thing: Any

            @Validate
            async def validate(self, context: Any) -> None:
                await begin()

            @Invalidate
            def invalidate(self, context: Any) -> Any:
                return end()

        return Slow, begin, end

    def test_validate(self) -> None:
        """It is valid, and what it provides registered, only once its callback has ended; nobody
        else waits for that."""
        slow, begin, _ = self.slow()
        self.offer()
        self.make(slow)
        self.make(Talk, "other")
        self.assertEqual((Phase.VALIDATING, Phase.VALID), (self.state(), self.state("other")))
        self.assertIsNone(self.context.get_service_reference("slow"))
        begin.end()
        self.assertEqual(Phase.VALID, self.state())
        self.assertIsNotNone(self.context.get_service_reference("slow"))

    def test_failing(self) -> None:
        """A failure that comes late is a failure."""
        slow, begin, end = self.slow()
        self.offer()
        self.make(slow)
        begin.end(ValueError("late"))
        end.end()
        self.assertEqual(Phase.ERRONEOUS, self.state())
        self.flushLoggedErrors(ValueError)

    def test_lost_meanwhile(self) -> None:
        """What goes while it is becoming valid stays in its field until its callbacks have ended;
        what it provides is not registered for a moment."""
        slow, begin, end = self.slow()
        thing = self.offer()
        it = self.make(slow)
        self.offer("watched")
        heard: list[Any] = []
        self.context.add_service_listener(heard.append, None, "slow")
        thing.unregister()
        self.assertEqual(Phase.VALIDATING, self.state())
        self.assertIsNotNone(it.thing)
        begin.end()
        self.assertEqual(Phase.INVALIDATING, self.state())
        self.assertIsNotNone(it.thing)
        end.end()
        self.assertEqual((Phase.INVALID, None, []), (self.state(), it.thing, heard))

    def test_replaced_meanwhile(self) -> None:
        """Where a replacement is enough, it is made once the callback has ended."""
        slow, begin, end = self.slow(immediate_rebind=True)
        thing = self.offer()
        it = self.make(slow)
        other = Thing("other")
        self.offer(service=other)
        thing.unregister()
        begin.end()
        self.assertEqual((Phase.VALID, other), (self.state(), it.thing))
        self.assertEqual([], end.waiting)

    def test_killed_meanwhile(self) -> None:
        """One that is killed while its callback runs is gone after both."""
        slow, begin, end = self.slow()
        self.offer()
        self.make(slow)
        gone = self.ipopo.kill("a")
        self.assertNoResult(gone)
        begin.end()
        end.end()
        self.successResultOf(gone)
        self.assertFalse(self.ipopo.is_registered_instance("a"))

    def test_consumers_first(self) -> None:
        """A provider does not end before those that use it have, however long they take."""
        slow, begin, end = self.slow()
        said: list[str] = []

        @ComponentFactory("provider")
        @Provides("spec")
        class Provider:
            @Invalidate
            def invalidate(self, context: Any) -> None:
                said.append("provider ends")

        self.make(Provider, "provider")
        self.make(slow)
        begin.end()
        gone = self.ipopo.kill("provider")
        self.assertEqual([], said)
        self.assertNoResult(gone)
        end.end()
        self.successResultOf(gone)
        self.assertEqual(["provider ends"], said)

    def test_circle_of_waiting(self) -> None:
        """Two that use each other, and take their time, do not wait for each other for ever."""
        ends = Later()

        @ComponentFactory("one")
        @Provides("one")
        @Requires("other", "two", optional=True)
        class One:
            @Invalidate
            def invalidate(self, context: Any) -> Any:
                return ends()

        @ComponentFactory("two")
        @Provides("two")
        @Requires("other", "one")
        class Two:
            @Invalidate
            def invalidate(self, context: Any) -> Any:
                return ends()

        self.make(One, "one")
        self.make(Two, "two")
        self.assertEqual((Phase.VALID, Phase.VALID), (self.state("one"), self.state("two")))
        gone = [self.ipopo.kill("two"), self.ipopo.kill("one")]
        while ends.waiting:
            ends.end()
        for each in gone:
            self.successResultOf(each)

    def test_hanging(self) -> None:
        """A callback that does not end in time is given up, and named."""
        slow, _, end = self.slow()
        self.offer()
        self.make(slow)
        self.clock.advance(31)
        [error] = self.flushLoggedErrors()
        self.assertIn("validate of component a", error.getErrorMessage())
        end.end()
        self.assertEqual(Phase.ERRONEOUS, self.state())

    def test_stubborn(self) -> None:
        """So is one that does not let itself be cancelled, and nobody waits for it."""

        @ComponentFactory("stubborn")
        class Stubborn:
            @Validate
            async def validate(self, context: Any) -> None:
                while True:
                    try:
                        await Deferred()
                    except CancelledError:
                        continue

        self.make(Stubborn)
        stopped = self.framework.stop()
        self.assertNoResult(stopped)
        self.clock.advance(31)
        self.successResultOf(stopped)
        [error] = self.flushLoggedErrors()
        self.assertIn("validate of component a", error.getErrorMessage())

    def test_bundle_waits(self) -> None:
        """The framework has stopped only once all callbacks have ended."""
        slow, begin, end = self.slow()
        self.offer()
        self.make(slow)
        begin.end()
        stopped = self.framework.stop()
        self.assertNoResult(stopped)
        end.end()
        self.successResultOf(stopped)
