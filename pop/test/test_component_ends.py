"""What is left of components that are gone: nothing."""

import gc
import weakref
from typing import Any

from pop.components import (
    Bind,
    ComponentFactory,
    Invalidate,
    Property,
    Provides,
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Temporal,
    Validate,
)
from pop.components.container import Container
from pop.components.errors import FrameworkException
from pop.components.eventhooks import SERVICE_EVENT_LISTENER_HOOK
from pop.components.framework import Framework
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Later, Thing
from pop.test.talkers import Talk, Talker


@ComponentFactory("greedy")
@Provides("greedy")
@Property("want", value=1)
@Requires("one", "spec", optional=True)
@Requires("all", "spec", optional=True, aggregate=True)
@RequiresBest("best", "spec", optional=True)
@RequiresMap("map", "spec", "key", optional=True)
@RequiresBroadcast("every", "spec")
@RequiresVarFilter("mine", "spec", spec_filter="(key={want})", optional=True)
@Temporal("late", "spec", optional=True)
class Greedy:
    """Requires in every way there is."""

    want: int
    one: Any
    all: Any
    best: Any
    map: Any
    every: Any
    mine: Any
    late: Any

    def fields(self) -> list[Any]:
        """All that it has been given."""
        return [self.one, self.all, self.best, self.map, self.every, self.mine, self.late]


@ComponentFactory("failing")
@Requires("thing", "spec", optional=True)
class Failing:
    """Cannot become valid until it is told that it can."""

    can = False

    @Validate
    def validate(self, context: Any) -> None:
        if not self.can:
            raise ValueError("it cannot")


class GoneTests(FrameworkTestCase):
    """Components that were killed."""

    def listening(self) -> list[Any]:
        """Those who would be told of something that components of these tests require."""
        due: list[Any] = []

        class Hook:
            def event(self, event: Any, listeners: dict[Any, list[Any]]) -> None:
                due.extend(each for several in listeners.values() for each in several)

        hook = self.offer(SERVICE_EVENT_LISTENER_HOOK, Hook())
        self.offer(key=1)
        hook.unregister()
        return [each for each in due if "spec" in each.specifications]

    def test_fields(self) -> None:
        """The object has nothing any more of what was injected, in whatever way. (In iPOPO it
        keeps it.)"""
        self.offer(key=1)
        greedy = self.make(Greedy)
        self.assertNotIn(None, greedy.fields())
        self.kill()
        self.assertEqual([None] * 7, greedy.fields())

    def test_given_back(self) -> None:
        """All that it has used it uses no more, and nothing is told to it."""
        things = [self.offer(key=1).reference, self.offer(key=2).reference]
        self.make(Greedy)
        self.assertEqual(7, len(self.listening()))
        self.assertTrue(all(thing.get_using_bundles() for thing in things))
        self.kill()
        self.assertEqual([[], []], [thing.get_using_bundles() for thing in things])
        self.assertEqual([], self.listening())

    def test_deaf(self) -> None:
        """Its object is a plain object: what is set is what is there, and nothing follows."""
        greedy = self.make(Greedy, want=2)
        self.kill()
        greedy.want = 1
        self.assertEqual((1, None), (greedy.want, greedy.mine))
        self.assertEqual([], self.listening())

    def test_forgotten(self) -> None:
        """Nothing holds its object; as many as ever may come and go. (iPOPO keeps a logger for each
        name.)"""
        self.offer(key=1)
        objects = []
        for number in range(10):
            objects.append(weakref.ref(self.make(Greedy, f"greedy-{number}")))
            self.kill(f"greedy-{number}")
        gc.collect()
        self.assertEqual([None] * 10, [each() for each in objects])

    def test_latest_first(self) -> None:
        """What it provides is taken back in the other order."""

        @ComponentFactory("several")
        @Provides("one")
        @Provides("two")
        class Several:
            pass

        self.make(Several)
        heard: list[Any] = []
        self.context.add_service_listener(lambda event: heard.append(event.reference))
        self.kill()
        self.assertEqual([("two",), ("one",)], [each.specifications for each in heard])

    def test_picky(self) -> None:
        """A field that refuses to be emptied keeps neither the component from being gone nor
        anything from being given back; that is logged."""

        @ComponentFactory("picky")
        @Requires("thing", "spec")
        @Requires("other", "spec")
        class Picky:
            @property
            def thing(self) -> Any:
                return "whatever it was given"

            @thing.setter
            def thing(self, given: Any) -> None:
                if given is None:
                    raise ValueError("never again without one")

        thing = self.offer().reference
        self.make(Picky)
        self.kill()
        self.assertEqual([], thing.get_using_bundles())
        self.assertEqual([], self.ipopo.get_instances())
        self.assertNotEqual([], self.flushLoggedErrors(ValueError))

    def test_before_all_else(self) -> None:
        """One that is killed while it is bound does not become valid before it is gone."""
        later = Later()

        @ComponentFactory("slow")
        @Requires("thing", "spec")
        class Slow(Talker):
            @Bind
            def bind(self, thing: Any, reference: Any) -> Any:
                return later()

            @Validate
            def validate(self, context: Any) -> None:
                self.said.append("valid")

        slow = self.make(Slow)
        self.offer()
        gone = self.ipopo.kill("a")
        self.assertNoResult(gone)
        later.end()
        self.successResultOf(gone)
        self.assertEqual([], slow.take())


class FailedTests(FrameworkTestCase):
    """Components that failed."""

    def test_killed(self) -> None:
        """One that is killed while it waits to try again leaves no timer."""
        self.make(Failing)
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.kill()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.flushLoggedErrors(ValueError)

    def test_tried_before(self) -> None:
        """Nor does one that has become valid before its time."""
        self.make(Failing).can = True
        self.assertEqual(Phase.VALID, self.ipopo.retry_erroneous("a"))
        self.assertEqual([], self.clock.getDelayedCalls())
        self.flushLoggedErrors(ValueError)

    def test_no_clock(self) -> None:
        """Without a clock it does not try by itself, but when it is asked to."""
        framework = Framework({}, environment={})
        framework.install_bundle("pop.components.ipopo")
        self.successResultOf(framework.start())
        context = framework.get_bundle_context()
        reference = context.get_service_reference("pelix.ipopo.core")
        assert reference is not None
        ipopo: Container = context.get_service(reference)
        ipopo.register_factory(context, Failing)
        ipopo.instantiate("failing", "a").can = True
        self.assertEqual(Phase.ERRONEOUS, ipopo.component("a").state)
        self.assertEqual(Phase.VALID, ipopo.retry_erroneous("a"))
        self.successResultOf(framework.stop())
        self.flushLoggedErrors(ValueError)

    def test_fatal(self) -> None:
        """One whose validation says that it cannot go on is killed, and that the framework cannot,
        stops it; whoever made it is none the wiser. (In iPOPO that raises that there are no
        components at all.)"""
        for needs_stop in (False, True):

            @ComponentFactory(f"fatal-{needs_stop}")
            @Provides("fatal")
            class Fatal(Talker):
                @Validate
                def validate(self, context: Any, needs_stop: bool = needs_stop) -> None:
                    raise FrameworkException("no", needs_stop=needs_stop)

                @Invalidate
                def invalidate(self, context: Any) -> None:
                    self.said.append("undone")

            self.assertEqual(["undone"], self.make(Fatal).take())
            self.assertFalse(self.ipopo.is_registered_instance("a"))
            self.assertIs(None, self.context.get_service_reference("fatal"))
            self.assertIs(not needs_stop, self.framework.runs())
        self.assertEqual(2, len(self.flushLoggedErrors(FrameworkException)))


class InvalidTests(FrameworkTestCase):
    """Components that are not valid."""

    def test_controller(self) -> None:
        """One that switches on what it provides registers it once it is valid, not before."""

        @ComponentFactory("controlled")
        @Provides("sometimes", controller="on")
        @Requires("thing", "spec")
        class Controlled:
            on = False

        controlled = self.make(Controlled)
        controlled.on = True
        self.assertIsNone(self.context.get_service_reference("sometimes"))
        self.offer()
        self.assertIsNotNone(self.context.get_service_reference("sometimes"))

    def test_talk(self) -> None:
        """What happens to what it does not use calls nobody."""
        talk = self.make(Talk)
        self.offer("other", Thing()).set_properties({"a": 2})
        self.assertEqual([], talk.take())
