"""Components live as they say: the order of what is called, and of what is told."""

from typing import Any

from pop.components import (
    BindField,
    ComponentFactory,
    HiddenProperty,
    InvalidateComponent,
    Property,
    Provides,
    Requires,
    SingletonFactory,
    ValidateComponent,
)
from pop.components.errors import BundleException
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase
from pop.test.talkers import Talk, Talker


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
        self.assertNotIn("password", self.ipopo.get_instance_properties("a"))
        self.assertNotIn("password", reference.get_properties())

    def test_reconfigure(self) -> None:
        """Properties are changed one by one; others stay, and so does the name."""

        @ComponentFactory("valued")
        @Property("a", value=1)
        @Property("b", value=1)
        @Provides("valued")
        class Valued:
            a: int
            b: int

        valued = self.make(Valued)
        self.ipopo.reconfigure("a", {"a": 2, "c": 3, "instance.name": "x"})
        self.assertEqual((2, 1), (valued.a, valued.b))
        expected = {"a": 2, "b": 1, "c": 3, "instance.name": "a"}
        self.assertEqual(expected, self.ipopo.get_instance_properties("a"))
        [reference] = self.context.get_all_service_references("valued")
        self.assertEqual(expected, {key: reference.get_property(key) for key in expected})

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
        self.assertEqual(1, len(self.context.get_all_service_references("always")))
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

    def test_slots(self) -> None:
        """An object into which nothing can be injected is refused with that reason."""

        @ComponentFactory("slotted")
        class Slotted:
            __slots__ = ()

        error = self.assertRaises(BundleException, self.make, Slotted)
        self.assertIn("slots", str(error))

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
