"""Components live as they say: the order of what is called, and of what others are told."""

from typing import Any

from pop.components import (
    Bind,
    BindField,
    ComponentFactory,
    HiddenProperty,
    Invalidate,
    InvalidateComponent,
    PostRegistration,
    PostUnregistration,
    Property,
    Provides,
    Requires,
    SingletonFactory,
    Unbind,
    UnbindField,
    Update,
    UpdateField,
    Validate,
    ValidateComponent,
)
from pop.components.errors import BundleException, FrameworkException
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Later, Thing


class Talker:
    """Notes what it is called with."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def take(self) -> list[str]:
        """What was noted since the last time."""
        said, self.said = self.said, []
        return said


@ComponentFactory("talker")
@Provides("talk")
@Requires("thing", "spec")
class Talk(Talker):
    """Has all callbacks."""

    thing: Any

    @Bind
    def bind(self, thing: Any, reference: Any) -> None:
        self.said.append("bind")

    @BindField("thing")
    def bind_field(self, field: str, thing: Any, reference: Any) -> None:
        self.said.append(f"bind {field}")

    @Update
    def update(self, thing: Any, reference: Any, old: dict[str, Any]) -> None:
        self.said.append(f"update from {old.get('a')}")

    @UpdateField("thing")
    def update_field(self, field: str, thing: Any, reference: Any, old: Any) -> None:
        self.said.append(f"update {field}")

    @Unbind
    def unbind(self, thing: Any, reference: Any) -> None:
        self.said.append(f"unbind {self.thing}")

    @UnbindField("thing")
    def unbind_field(self, field: str, thing: Any, reference: Any) -> None:
        self.said.append(f"unbind {field}")

    @Validate
    def validate(self, context: Any) -> None:
        found = context.get_service_reference("talk")
        self.said.append(f"validate {self.thing} {found}")

    @Invalidate
    def invalidate(self, context: Any) -> None:
        found = context.get_service_reference("talk")
        self.said.append(f"invalidate {self.thing} {found}")

    @PostRegistration
    def registered(self, reference: Any) -> None:
        self.said.append("registered")

    @PostUnregistration
    def unregistered(self, reference: Any) -> None:
        self.said.append("unregistered")


class OrderTests(FrameworkTestCase):
    """One thing after the other."""

    def test_beginning(self) -> None:
        """What it requires is bound, then it becomes valid, then what it provides is registered."""
        self.offer()
        talk = self.make(Talk)
        expected = ["bind", "bind thing", "validate <spec> None", "registered"]
        self.assertEqual(expected, talk.take())
        self.assertHeard("INSTANTIATED a", "BOUND a", "VALIDATED a")

    def test_end(self) -> None:
        """What it provides goes, then it becomes invalid with all that it required at hand, and
        only then that is taken away."""
        self.offer()
        talk = self.make(Talk)
        talk.take(), self.listener.take()
        self.kill()
        expected = ["unregistered", "invalidate <spec> None", "unbind thing", "unbind <spec>"]
        self.assertEqual(expected, talk.take())
        self.assertHeard("INVALIDATED a", "UNBOUND a", "KILLED a")
        self.assertIsNone(talk.thing)

    def test_update(self) -> None:
        """Of changed properties the callback for the field hears first."""
        thing = self.offer(a=1)
        talk = self.make(Talk)
        talk.take()
        thing.set_properties({"a": 2})
        self.assertEqual(["update thing", "update from 1"], talk.take())

    def test_lost_and_found(self) -> None:
        """Without what it requires it is invalid and its field empty; with it, it is the same
        object that is valid again."""
        thing = self.offer()
        talk = self.make(Talk)
        self.listener.take()
        thing.unregister()
        self.assertEqual((Phase.INVALID, None), (self.state(), talk.thing))
        self.assertHeard("INVALIDATED a", "UNBOUND a")
        self.offer()
        self.assertEqual(Phase.VALID, self.state())
        self.assertHeard("BOUND a", "VALIDATED a")
        self.assertIs(talk, self.ipopo.get_instance("a"))

    def test_kill_invalid(self) -> None:
        """One that is not valid is not invalidated."""
        talk = self.make(Talk)
        self.kill()
        self.assertEqual([], talk.take())
        self.assertHeard("INSTANTIATED a", "KILLED a")
        self.assertRaises(BundleException, self.ipopo.kill, "a")

    def test_dead(self) -> None:
        """The object of a component that is gone is a plain object."""

        @ComponentFactory()
        @Property("x", value=1)
        class Dead:
            x: int

        dead = self.make(Dead)
        self.kill()
        dead.x = 5
        self.assertEqual(5, dead.x)

    def test_if_valid(self) -> None:
        """A callback for a field may be for while the component is valid."""

        @ComponentFactory()
        @Requires("thing", "spec")
        @Requires("more", "more", optional=True)
        class Careful(Talker):
            @BindField("thing", if_valid=True)
            def bind(self, field: str, thing: Any, reference: Any) -> None:
                self.said.append(field)

            @BindField("more", if_valid=True)
            def more_bound(self, field: str, thing: Any, reference: Any) -> None:
                self.said.append(field)

        careful = self.make(Careful)
        self.offer()
        self.assertEqual([], careful.take())
        self.offer("more")
        self.assertEqual(["more"], careful.take())

    def test_arguments(self) -> None:
        """Callbacks may choose what they are called with."""

        @ComponentFactory()
        @Property("x", value=1)
        class Choosing(Talker):
            @ValidateComponent("properties", "bundle_context")
            def validate(self, properties: Any, context: Any) -> None:
                self.said.append(f"{properties['x']} {context.get_bundle().get_bundle_id()}")

            @InvalidateComponent("component_context")
            def invalidate(self, component: Any) -> None:
                self.said.append(component.name)

        choosing = self.make(Choosing)
        self.kill()
        self.assertEqual(["1 0", "a"], choosing.take())


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
        names = ("bind", "bind_field", "update", "update_field", "unbind", "unbind_field")
        names += ("invalidate", "registered", "unregistered")
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

    def test_broken_promise(self) -> None:
        """One that does not do what it provides is held, and says why."""
        from zope.interface import Interface

        class IPromise(Interface):
            def keep() -> None:
                """Keep it."""

        @ComponentFactory()
        @Provides(IPromise)
        class Liar:
            pass

        self.make(Liar)
        self.assertEqual(Phase.INVALID, self.state())
        self.assertIn("keep", self.ipopo.get_instance_details("a")["error_trace"])
        self.flushLoggedErrors()


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


class PropertiesTests(FrameworkTestCase):
    """Properties of components, and what they provide."""

    def test_first_value(self) -> None:
        """What is given at instantiation counts more than the framework's property of that name,
        that more than the decorator's value, and that more than the class's."""

        @ComponentFactory("valued")
        @Property("a", value=1)
        @Property("b", value=1)
        @Property("c", value=1)
        @Property("d")
        @Provides("valued")
        class Valued:
            a = b = c = d = 0

        self.framework.add_property("b", 2)
        self.framework.add_property("a", 2)
        valued = self.make(Valued, a=3)
        self.assertEqual((3, 2, 1, 0), (valued.a, valued.b, valued.c, valued.d))
        reference = self.context.get_service_reference("valued")
        assert reference is not None
        shown = reference.get_properties()
        self.assertEqual((3, 2, 1, 0), tuple(shown[name] for name in "abcd"))
        self.assertEqual("a", shown["instance.name"])

    def test_changed(self) -> None:
        """Who sets a field changes the registration, if the value is another one."""

        @ComponentFactory("valued")
        @Property("a", "the.a", 1)
        @Provides("valued")
        class Valued:
            a: Any

        valued = self.make(Valued)
        events: list[Any] = []
        self.context.add_service_listener(lambda event: events.append(event.kind.name))
        valued.a = 1
        self.assertEqual([], events)
        valued.a = 2
        self.assertEqual(["MODIFIED"], events)
        reference = self.context.get_service_reference("valued", "(the.a=2)")
        self.assertIsNotNone(reference)

    def test_hidden(self) -> None:
        """A hidden property is shown nowhere; it is changed by a name with a dot before it."""

        @ComponentFactory("hiding")
        @HiddenProperty("secret", "password", "none")
        @Provides("hiding")
        class Hiding:
            secret: str

        hiding = self.make(Hiding, password="given")
        self.assertEqual("given", hiding.secret)
        reference = self.context.get_service_reference("hiding")
        assert reference is not None
        self.assertNotIn("password", reference.get_properties())
        self.assertNotIn("given", str(self.ipopo.get_instance_details("a")))
        self.ipopo.reconfigure("a", {".password": "new"})
        self.assertEqual("new", hiding.secret)
        self.ipopo.reconfigure("a", {"password": "shown?"})
        self.assertEqual("new", hiding.secret)

    def test_reconfigure(self) -> None:
        """Properties are changed one by one; others stay, and so does the name."""

        @ComponentFactory("valued")
        @Property("a", value=1)
        @Property("b", value=1)
        class Valued:
            a: int
            b: int

        valued = self.make(Valued)
        self.ipopo.reconfigure("a", {"a": 2, "c": 3, "instance.name": "x"})
        self.assertEqual((2, 1), (valued.a, valued.b))
        expected = {"a": 2, "b": 1, "c": 3, "instance.name": "a"}
        self.assertEqual(expected, self.ipopo.get_instance_properties("a"))

    def test_controller(self) -> None:
        """A controller registers and unregisters what it controls, and nothing else, and only while
        the component is valid."""

        @ComponentFactory("controlled")
        @Provides("always")
        @Provides("sometimes", controller="on")
        @Requires("thing", "spec")
        class Controlled:
            on: bool

        controlled = self.make(Controlled)
        thing = self.offer()
        first = self.context.get_service_reference("sometimes")
        controlled.on = False
        self.assertIsNone(self.context.get_service_reference("sometimes"))
        self.assertIsNotNone(self.context.get_service_reference("always"))
        controlled.on = True
        second = self.context.get_service_reference("sometimes")
        self.assertIsNotNone(second)
        self.assertIsNot(first, second)
        thing.unregister()
        controlled.on = False
        self.offer()
        self.assertIsNone(self.context.get_service_reference("sometimes"))


class FactoriesTests(FrameworkTestCase):
    """Factories, and what may be asked of the container."""

    def test_refused(self) -> None:
        """What cannot be made is refused with a sentence."""

        @SingletonFactory("single")
        class Single:
            pass

        @ComponentFactory("free")
        class Free:
            pass

        self.make(Single)
        self.make(Free, "b")
        for factory, name, error in (
            ("unknown", "c", TypeError),
            ("free", "a", ValueError),
            ("free", "", ValueError),
            ("free", None, ValueError),
            ("single", "c", ValueError),
        ):
            raised = self.assertRaises(error, self.ipopo.instantiate, factory, name)
            self.assertIsInstance(raised, BundleException)
        self.kill()
        self.make(Single, "c")

    def test_same_name(self) -> None:
        """Of two factories of one name the first is kept."""

        @ComponentFactory("twin")
        class First:
            pass

        @ComponentFactory("twin")
        class Second:
            pass

        self.ipopo.register_factory(self.context, First)
        self.assertRaises(BundleException, self.ipopo.register_factory, self.context, Second)
        self.assertIsInstance(self.make(First), First)

    def test_unregister(self) -> None:
        """With its factory a component goes."""
        self.make(Talk)
        self.assertTrue(self.successResultOf(self.ipopo.unregister_factory("talker")))
        self.assertEqual(([], []), (self.ipopo.get_factories(), self.ipopo.get_instances()))
        self.assertFalse(self.successResultOf(self.ipopo.unregister_factory("talker")))

    def test_hold(self) -> None:
        """One that was invalidated stays so, whatever its requirements do, until asked to try.
        (iPOPO's becomes valid at the next event.)"""
        thing = self.offer(a=1)
        self.make(Talk)
        self.ipopo.invalidate("a")
        thing.set_properties({"a": 2})
        self.offer()
        self.assertEqual(Phase.INVALID, self.state())
        self.assertEqual(Phase.VALID, self.ipopo.retry_erroneous("a"))

    def test_details(self) -> None:
        """What is known of a component and of a factory can be asked."""
        thing = self.offer()
        self.make(Talk)
        details = self.ipopo.get_instance_details("a")
        self.assertEqual(
            ("a", "talker", 0, 1),
            tuple(details[key] for key in ("name", "factory", "bundle_id", "state")),
        )
        expected = {
            "handler": "SimpleDependency",
            "specification": "spec",
            "specifications": ["spec"],
            "match_any": False,
            "filter": None,
            "optional": False,
            "aggregate": False,
            "bindings": [thing.get_reference()],
        }
        self.assertEqual({"thing": expected}, details["dependencies"])
        self.assertEqual({"instance.name": "a"}, details["properties"])
        [offered] = details["services"].values()
        self.assertEqual(self.context.get_service_reference("talk"), offered)
        self.assertEqual([("a", "talker", 1)], self.ipopo.get_instances())
        factory = self.ipopo.get_factory_details("talker")
        self.assertEqual([{"talk": None}], factory["services"])
        self.assertEqual(["thing"], [each["id"] for each in factory["requirements"]])

    def test_raising_listener(self) -> None:
        """A listener that raises harms nobody."""

        class Bad:
            def handle_ipopo_event(self, event: Any) -> None:
                raise ValueError

        self.ipopo.remove_listener(self.listener)
        bad = Bad()
        self.ipopo.add_listener(bad)
        self.addCleanup(self.ipopo.remove_listener, bad)
        self.ipopo.add_listener(self.listener)
        self.assertFalse(self.ipopo.add_listener(self.listener))
        self.make(Talk)
        self.assertHeard("INSTANTIATED a")
        self.flushLoggedErrors(ValueError)
