"""What component classes declare."""

from typing import Any, Optional

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface

from pop.components import (
    Bind,
    BindField,
    ComponentFactory,
    FactoryManipulationError,
    HiddenProperty,
    Instantiate,
    Property,
    Provides,
    Requires,
    RequiresBest,
    RequiresMap,
    SingletonFactory,
    Update,
    Validate,
    ValidateComponent,
)
from pop.components.errors import BadFilter, BadSpecification
from pop.components.factory import Callback, FactoryContext, FieldCallback, Provision, context_of
from pop.components.requirement import BEST, MAP, REQUIRES, Requirement


class IHello(Interface):
    """Says hello."""


@ComponentFactory("parent-factory")
@Property("_prop", "prop", 4)
@HiddenProperty("_secret", "secret", "s3cret")
@Provides("spec.parent", controller="_on")
@Requires("_hello", "spec.hello", spec_filter="(a=1)")
@Instantiate("parent")
class Parent:
    """Declares something of everything."""

    _prop: int
    _secret: str
    _on: bool
    _hello: Any

    @Validate
    def begin(self, context: Any) -> None:
        """Nothing."""

    @BindField("_hello", if_valid=True)
    def bound(self, field: str, hello: Any, reference: Any) -> None:
        """Nothing."""


@ComponentFactory()
@Provides("spec.child")
@Requires("_other", "spec.other")
class Child(Parent):
    """Inherits all of it."""


def declared(cls: type) -> FactoryContext:
    """What a class declares."""
    context = context_of(cls)
    assert context is not None
    return context


class FactoryTests(SynchronousTestCase):
    """Class decorators."""

    def test_everything(self) -> None:
        """What is declared is remembered by the class."""
        context = declared(Parent)
        self.assertEqual("parent-factory", context.name)
        self.assertEqual({"prop": 4}, context.properties)
        self.assertEqual({"_prop": "prop"}, context.property_fields)
        self.assertEqual({"secret": "s3cret"}, context.hidden)
        self.assertEqual([Provision(("spec.parent",), "_on")], context.provisions)
        requirement = Requirement(("spec.hello",), filter="(a=1)")
        self.assertEqual({REQUIRES: {"_hello": requirement}}, context.configurations)
        self.assertEqual({"VALIDATE": Callback("begin")}, context.callbacks)
        self.assertEqual(
            {"BIND_FIELD": {"_hello": FieldCallback("bound", True)}}, context.field_callbacks
        )
        self.assertEqual({"parent": {}}, context.instances)

    def test_plain(self) -> None:
        """Used without a framework, a component class is a plain class."""
        parent = Parent()
        self.assertEqual((4, "s3cret", True), (parent._prop, parent._secret, parent._on))
        self.assertIsNone(parent._hello)
        parent._prop, parent._on = 5, False
        self.assertEqual((5, False), (parent._prop, parent._on))
        self.assertEqual(4, Parent()._prop)

    def test_inherited(self) -> None:
        """A subclass inherits everything but what is made at once, and adds its own; it is named
        after the class if it has no name."""
        context = declared(Child)
        self.assertEqual("ChildFactory", context.name)
        self.assertEqual({}, context.instances)
        self.assertEqual({"prop": 4}, context.properties)
        self.assertEqual({"_hello", "_other"}, set(context.requirements()))
        self.assertEqual(
            [("spec.parent",), ("spec.child",)],
            [provision.specifications for provision in context.provisions],
        )
        self.assertEqual({"_hello"}, set(declared(Parent).requirements()))

    def test_excluded(self) -> None:
        """It does not inherit what it excludes."""

        @ComponentFactory("excluding", excluded=[REQUIRES, "ipopo.provides"])
        @Provides("spec.other")
        class Excluding(Parent):
            pass

        context = declared(Excluding)
        self.assertEqual({}, context.requirements())
        self.assertEqual([Provision(("spec.other",))], context.provisions)

    def test_overridden(self) -> None:
        """A method that is redefined is still called, decorated again or not; a subclass may
        declare another callback."""

        @ComponentFactory()
        class Another(Parent):
            def begin(self, context: Any) -> None:
                pass

            @ValidateComponent("properties", "bundle_context")
            def start(self, properties: Any, context: Any) -> None:
                pass

        expected = {"VALIDATE": Callback("start", ("properties", "bundle_context"))}
        self.assertEqual(expected, declared(Another).callbacks)

    def test_twice(self) -> None:
        """A class becomes a factory once."""
        self.assertRaises(FactoryManipulationError, ComponentFactory("again"), Parent)
        self.assertRaises(FactoryManipulationError, Provides("too.late"), Parent)

    def test_instances(self) -> None:
        """One class is instantiated under several names, above or below the factory."""

        @Instantiate("a")
        @ComponentFactory()
        @Instantiate("b", {"x": 1})
        @Instantiate("c")
        class Several:
            pass

        self.assertEqual(
            [("a", {}), ("b", {"x": 1}), ("c", {})], list(declared(Several).instances.items())
        )
        self.assertRaises(NameError, Instantiate("b"), Several)

    def test_singleton(self) -> None:
        """That there is one at most is declared with the factory."""

        @SingletonFactory("single")
        class Single:
            pass

        self.assertTrue(declared(Single).singleton)

    def test_refused(self) -> None:
        """What makes no sense is refused where it stands."""
        for wrong in ("", " ", "a ", "a(b)", "a,b", "a=*"):
            self.assertRaises(BadSpecification, Requires, "_field", wrong)
            self.assertRaises(BadSpecification, Provides, wrong)
        self.assertRaises(BadSpecification, Requires, "_field", 5)
        self.assertRaises(BadFilter, Requires, "_field", "spec", spec_filter="(a=")
        self.assertRaises(TypeError, Requires, 5, "spec")
        self.assertRaises(ValueError, Requires, "a field", "spec")
        self.assertRaises(BadSpecification, Requires, "_field", [])
        self.assertRaises(TypeError, RequiresMap, "_field", "spec", None)
        self.assertRaises(ValueError, Property, "a field")
        self.assertRaises(TypeError, Property, None)
        self.assertRaises(TypeError, ComponentFactory("x"), Parent())
        self.assertRaises(ValueError, Instantiate, "")

    def test_class_attribute(self) -> None:
        """A property without a value has the one of the class."""

        @ComponentFactory()
        @Property("x")
        @Property("y", "the.y", 2)
        class Valued:
            x = 1
            y = 3

        self.assertEqual({"x": 1, "the.y": 2}, declared(Valued).properties)


class CallbackTests(SynchronousTestCase):
    """Decorators of methods."""

    def test_arguments(self) -> None:
        """A method that cannot be called as it will be is refused."""

        def nothing(self: Any) -> None: ...

        def one(self: Any, a: Any) -> None: ...

        def several(self: Any, *rest: Any) -> None: ...

        def optional(self: Any, a: Any, b: Any = None) -> None: ...

        def keywords(self: Any, a: Any, **rest: Any) -> None: ...

        for method in (one, several, optional):
            self.assertIs(method, Validate(method))
        for method in (nothing, keywords):
            self.assertRaises(TypeError, Validate, method)
        for method in (one, nothing):
            self.assertRaises(TypeError, Bind, method)
        self.assertRaises(TypeError, Update, optional)
        self.assertRaises(TypeError, Validate, "no method")
        self.assertRaises(TypeError, BindField("f"), optional)
        self.assertRaises(TypeError, ValidateComponent, "nonsense")

    def test_two(self) -> None:
        """One class has one callback of a kind."""

        class Two:
            @Validate
            def one(self, context: Any) -> None: ...

            @Validate
            def two(self, context: Any) -> None: ...

        self.assertRaises(FactoryManipulationError, ComponentFactory(), Two)


class HintTests(SynchronousTestCase):
    """What an annotation says need not be said again."""

    def test_annotations(self) -> None:
        """The specification, and whether there may be none or many, are read from it."""

        @ComponentFactory()
        @Requires("one")
        @Requires("maybe")
        @Requires("perhaps")
        @Requires("many")
        @RequiresBest("best")
        @RequiresMap("by_name", key="name")
        @RequiresMap("lists", key="name")
        class Annotated:
            one: IHello
            maybe: "IHello | None"
            perhaps: Optional[IHello]  # noqa: UP045
            many: list[IHello]
            best: "IHello"
            by_name: dict[str, IHello]
            lists: "dict[str, list[IHello]]"

        plain = Requirement((IHello,))
        fields = declared(Annotated).configurations
        maybe = Requirement((IHello,), optional=True)
        many = Requirement((IHello,), aggregate=True)
        expected = {"one": plain, "maybe": maybe, "perhaps": maybe, "many": many}
        self.assertEqual(expected, fields[REQUIRES])
        best = Requirement((IHello,), immediate_rebind=True)
        self.assertEqual({"best": best}, fields[BEST])
        by_name = Requirement((IHello,), key="name")
        lists = Requirement((IHello,), key="name", aggregate=True)
        self.assertEqual({"by_name": by_name, "lists": lists}, fields[MAP])

    def test_nothing_said(self) -> None:
        """A field with neither a specification nor an annotation is refused by name."""

        class Silent:
            pass

        error = self.assertRaises(TypeError, Requires("hello"), Silent)
        self.assertIn("hello", str(error))
