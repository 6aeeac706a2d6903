"""What component classes inherit, replace and may not say."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.components import (
    Bind,
    BindField,
    ComponentFactory,
    HiddenProperty,
    Instantiate,
    Invalidate,
    Property,
    Provides,
    Requires,
    RequiresBest,
    RequiresMap,
    RequiresVarFilter,
    Temporal,
    Update,
    Validate,
    ValidateComponent,
)
from pop.components.factory import PROPERTY
from pop.components.life import Phase
from pop.components.requirement import BEST, REQUIRES, TEMPORAL, Requirement
from pop.test.frameworks import FrameworkTestCase
from pop.test.talkers import Talk, Talker
from pop.test.test_component_factory import IHello, declared


class InheritedTests(FrameworkTestCase):
    """What a subclass has of its parents."""

    def test_callbacks(self) -> None:
        """A subclass is called back as its parent is, and on what it adds; with what it excludes it
        is not."""

        @ComponentFactory("child")
        @Requires("more", "more", optional=True)
        class Child(Talk):
            @BindField("more")
            def more_bound(self, field: str, thing: Any, reference: Any) -> None:
                self.said.append(f"bind {field}")

        child = self.make(Child)
        self.offer()
        said = ["bind", "bind thing", "validate <spec> None", "registered"]
        self.assertEqual(said, child.take())
        self.offer("more")
        self.assertEqual(["bind", "bind more"], child.take())
        self.kill()
        said = ["unregistered", "invalidate <spec> None", "unbind thing", "unbind <spec>"]
        self.assertEqual(said, child.take()[:4])

    def test_plain_parent(self) -> None:
        """So is one whose parent is no factory, but declares something all the same; of several
        parents the first counts most."""

        @Property("x", value=1)
        @Property("y", value=1)
        class Plain(Talker):
            x: int
            y: int

            @Validate
            def begin(self, context: Any) -> None:
                self.said.append("begin")

        @Property("x", value=2)
        class Other(Talker):
            @Validate
            def other(self, context: Any) -> None:
                self.said.append("other")

        @ComponentFactory("first")
        class First(Plain, Other):
            pass

        @ComponentFactory("second")
        class Second(Other, Plain):
            pass

        first, second = self.make(First), self.make(Second, "b")
        self.assertEqual((1, 1, ["begin"]), (first.x, first.y, first.take()))
        self.assertEqual((2, 1, ["other"]), (second.x, second.y, second.take()))

    def test_own_value(self) -> None:
        """A property that is declared again has its parent's value, or its own, if it says one."""

        @ComponentFactory("parent")
        @Property("x", value=1)
        @Property("y", value=1)
        class Parent:
            x: int
            y: int

        @ComponentFactory("child")
        @Property("x")
        @Property("y", value=2)
        class Child(Parent):
            pass

        child, parent = self.make(Child), self.make(Parent, "b")
        self.assertEqual((1, 2), (child.x, child.y))
        self.assertEqual((1, 1), (parent.x, parent.y))

    def test_other_name(self) -> None:
        """A field that holds a property of another name, or one that is hidden now, holds that
        only."""

        @ComponentFactory("parent")
        @Property("x", "shown", 1)
        @Property("y", "open", 1)
        @HiddenProperty("z", "secret", 1)
        @Provides("spec")
        class Parent:
            x: int
            y: int
            z: int

        @ComponentFactory("child")
        @Property("x", "renamed", 2)
        @HiddenProperty("y", "open", 2)
        @Property("z", "told", 2)
        class Child(Parent):
            pass

        child = self.make(Child)
        self.assertEqual((2, 2, 2), (child.x, child.y, child.z))
        expected = {"renamed": 2, "told": 2, "instance.name": "a"}
        self.assertEqual(expected, self.ipopo.get_instance_properties("a"))
        child.x, child.y, child.z = 3, 3, 3
        expected = {"renamed": 3, "told": 3, "instance.name": "a"}
        self.assertEqual(expected, self.ipopo.get_instance_properties("a"))
        parent = self.make(Parent, "b")
        self.assertEqual((1, 1, 1), (parent.x, parent.y, parent.z))

    def test_replaced(self) -> None:
        """A field that is required in another way is required in that way only."""

        @ComponentFactory("parent")
        @Requires("it", "spec")
        class Parent:
            it: Any

        @ComponentFactory("child")
        @RequiresBest("it", "other", optional=True)
        class Child(Parent):
            pass

        @ComponentFactory("twice")
        @RequiresBest("it", "other", optional=True)
        @Requires("it", "spec")
        class Twice:
            it: Any

        for cls in (Child, Twice):
            self.assertIn("it", declared(cls).configurations[BEST])
            self.assertEqual({}, declared(cls).configurations.get(REQUIRES, {}))
            self.make(cls, cls.__name__)
            self.assertEqual(Phase.VALID, self.state(cls.__name__))
        self.assertIn("it", declared(Parent).configurations[REQUIRES])

    def test_excluded_properties(self) -> None:
        """With properties excluded it has none, hidden or not; one name that is excluded is enough
        of a list."""

        @ComponentFactory("parent")
        @Property("x", value=1)
        @HiddenProperty("y", value=1)
        @Provides("spec")
        class Parent:
            pass

        @ComponentFactory("child", excluded=PROPERTY)
        class Child(Parent):
            pass

        context = declared(Child)
        self.assertEqual(
            ({}, {}, {}, {}),
            (context.properties, context.hidden, context.property_fields, context.hidden_fields),
        )
        self.assertEqual(1, len(context.provisions))
        self.make(Child)
        self.assertEqual({"instance.name": "a"}, self.ipopo.get_instance_properties("a"))

    def test_own_default(self) -> None:
        """What a default value is, is each component's own."""

        @ComponentFactory("parent")
        @Property("items", value=[])
        class Parent:
            items: list[int]

        @ComponentFactory("child")
        class Child(Parent):
            pass

        self.assertIsNot(declared(Parent).properties["items"], declared(Child).properties["items"])


class SaidTests(SynchronousTestCase):
    """What is said of requirements and properties."""

    def test_said_and_hinted(self) -> None:
        """What the decorator says and what the annotation says add up."""

        @ComponentFactory()
        @Requires("one", optional=True)
        @Requires("all", aggregate=True)
        class Annotated:
            one: IHello
            all: IHello

        expected = {
            "one": Requirement((IHello,), optional=True),
            "all": Requirement((IHello,), aggregate=True),
        }
        self.assertEqual(expected, declared(Annotated).configurations[REQUIRES])

    def test_timeouts(self) -> None:
        """A time-out that is none is 10 seconds."""
        for given, seconds in ((3, 3), (0.5, 0.5), (0, 10), (-1, 10)):

            @ComponentFactory()
            @Temporal("it", "spec", timeout=given)
            class Patient:
                pass

            [requirement] = declared(Patient).configurations[TEMPORAL].values()
            self.assertEqual(seconds, requirement.timeout)

    def test_refused(self) -> None:
        """What makes no sense is refused where it stands, with a sentence."""
        bad: Any = 5
        self.assertRaises(TypeError, ComponentFactory, bad)
        self.assertRaises(TypeError, ComponentFactory, " ")
        self.assertRaises(TypeError, Instantiate, bad)
        self.assertRaises(TypeError, Instantiate, "name", bad)
        self.assertRaises(TypeError, Property, "field", bad)
        self.assertRaises(ValueError, Property, "field", " ")
        self.assertRaises(TypeError, Provides, "spec", bad)
        self.assertRaises(ValueError, Provides, "spec", "no field")
        self.assertRaises(ValueError, RequiresMap, "field", "spec", " ")
        for field in (bad, "no field"):
            method = lambda self, field, thing, reference: None  # noqa: E731
            self.assertRaises(TypeError, BindField(field), method)
        self.assertRaises(TypeError, Requires("it"), type("Silent", (), {}))
        self.assertRaises(TypeError, Instantiate("name"), bad)

    def test_not_yet_a_filter(self) -> None:
        """A filter with variables is not read before these have values."""
        RequiresVarFilter("field", "spec", spec_filter="({want})")

    def test_fields(self) -> None:
        """Fields that are declared can be looked at on the class, too."""

        @ComponentFactory()
        @Property("x", value=1)
        @Provides("spec", controller="on")
        class Fields:
            pass

        names = {name: getattr(getattr(Fields, name), "field", None) for name in ("x", "on")}
        self.assertEqual({"x": "x", "on": "on"}, names)


class GivenTests(FrameworkTestCase):
    """What a component is made with."""

    def test_given(self) -> None:
        """What is given counts, though it be nothing; what nothing is declared for is shown, and
        the name is the component's own."""

        @ComponentFactory("valued")
        @Property("x", value=1)
        @Provides("valued")
        class Valued:
            x: Any

            @ValidateComponent("properties")
            def validate(self, properties: dict[str, Any]) -> None:
                properties["x"] = "changed"

        given: dict[str, Any] = {"x": None, "more": 2, "instance.name": "other"}
        valued = self.make(Valued, **{key.replace(".", "__"): given[key] for key in given})
        self.assertIsNone(valued.x)
        shown = self.ipopo.get_instance_properties("a")
        self.assertEqual({"x": None, "more": 2, "instance.name": "a"}, shown)
        reference = self.context.get_service_reference("valued", "(more=2)")
        assert reference is not None
        self.assertEqual("a", reference.get_property("instance.name"))

    def test_incomparable(self) -> None:
        """A value that cannot be compared is another one."""

        class Odd:
            def __eq__(self, other: object) -> bool:
                raise ValueError("odd")

            __hash__ = None  # type: ignore[assignment]

        @ComponentFactory("valued")
        @Property("x", value=1)
        class Valued:
            x: Any

        valued = self.make(Valued)
        odd = valued.x = Odd()
        self.assertIs(odd, self.ipopo.get_instance_properties("a")["x"])

    def test_one_callback(self) -> None:
        """A class that has one callback only is called for that, whichever it is."""

        @ComponentFactory("updated")
        @Requires("it", "spec")
        class Updated(Talker):
            @Update
            def update(self, thing: Any, reference: Any, old: Any) -> None:
                self.said.append("update")

        @ComponentFactory("bound")
        @Requires("it", "spec")
        class Bound(Talker):
            @Bind
            def bind(self, thing: Any, reference: Any) -> None:
                self.said.append("bind")

        @ComponentFactory("ended")
        @Requires("it", "spec")
        class Ended(Talker):
            @Invalidate
            def end(self, context: Any) -> None:
                self.said.append("end")

        made = [self.make(kind, kind.__name__) for kind in (Updated, Bound, Ended)]
        thing = self.offer(a=1)
        thing.set_properties({"a": 2})
        thing.unregister()
        self.assertEqual([["update"], ["bind"], ["end"]], [each.take() for each in made])
