"""Components at particular moments: with bundles and frameworks, and in their callbacks."""

from typing import Any

from pop.components import (
    BindField,
    ComponentFactory,
    Instantiate,
    Property,
    Provides,
    Requires,
    RequiresBroadcast,
    RequiresMap,
    RequiresVarFilter,
    Unbind,
    UnbindField,
    UpdateField,
    Validate,
)
from pop.components.errors import BundleException
from pop.components.life import Phase
from pop.components.notices import IPopoEvent
from pop.test.frameworks import FrameworkTestCase, Thing
from pop.test.talkers import Talk, Talker
from pop.test.test_components import BundlesTestCase


class BundleMomentsTests(BundlesTestCase):
    """With their bundles."""

    def test_order(self) -> None:
        """They are made once their bundle is active, and gone while it is stopping."""
        states: list[tuple[str, str]] = []
        framework = self.framework

        class Watching:
            def handle_ipopo_event(self, event: IPopoEvent) -> None:
                bundle = framework.get_bundle_by_name("moments_bundle")
                assert bundle is not None
                states.append((event.kind.name, bundle.get_state().name))

        self.ipopo.add_listener(Watching())
        text = '@ComponentFactory("m")\n@Instantiate("m")\n@Requires("x", "spec")\nclass M: pass\n'
        self.offer()
        bundle = self.bundle("moments_bundle", text)
        begins = ("REGISTERED", "INSTANTIATED", "BOUND", "VALIDATED")
        ends = ("INVALIDATED", "UNBOUND", "KILLED", "UNREGISTERED")
        self.assertEqual([(kind, "ACTIVE") for kind in begins], states)
        states.clear()
        self.successResultOf(bundle.stop())
        self.assertEqual([(kind, "STOPPING") for kind in ends], states)

    def test_too_late(self) -> None:
        """None is made while the framework ends, and that is a sentence."""
        self.bundle("late_bundle", '@ComponentFactory("late")\nclass Late: pass\n')
        refused: list[Exception] = []

        def late() -> None:
            try:
                self.ipopo.instantiate("late", "late")
            except ValueError as error:
                refused.append(error)

        self.context.add_framework_stop_listener(late)
        self.successResultOf(self.framework.stop())
        [error] = refused
        self.assertIsInstance(error, BundleException)
        self.assertEqual([], self.ipopo.get_instances())

    def test_framework_ends(self) -> None:
        """With the framework all are gone, in order: each is invalidated with all that it requires
        at hand."""

        @ComponentFactory("provider")
        @Provides("spec")
        class Provider:
            pass

        self.make(Provider, "provider")
        talk = self.make(Talk)
        talk.take()
        self.successResultOf(self.framework.stop())
        kinds = [said.split()[0] for said in talk.take()]
        self.assertEqual(["unregistered", "invalidate", "unbind", "unbind"], kinds)
        self.assertEqual(([], None), (self.ipopo.get_instances(), talk.thing))


class CallbackMomentsTests(FrameworkTestCase):
    """In the lives of components."""

    def test_only_while_valid(self) -> None:
        """Callbacks for a field that are for while the component is valid are not called before or
        after."""

        @ComponentFactory("careful")
        @Requires("thing", "spec")
        @Requires("more", "more", optional=True)
        class Careful(Talker):
            @UpdateField("more", if_valid=True)
            def updated(self, field: str, thing: Any, reference: Any, old: Any) -> None:
                self.said.append(f"update {field}")

            @UnbindField("more", if_valid=True)
            def unbound(self, field: str, thing: Any, reference: Any) -> None:
                self.said.append(f"unbind {field}")

        careful = self.make(Careful)
        more = self.offer("more")
        more.set_properties({"a": 1})
        more.unregister()
        self.assertEqual([], careful.take())
        self.offer()
        more = self.offer("more")
        more.set_properties({"a": 1})
        more.unregister()
        self.assertEqual(["update more", "unbind more"], careful.take())

    def test_same_value(self) -> None:
        """A registration that changes nothing calls nobody; nor does one that is not bound."""
        thing = self.offer(a=1)
        talk = self.make(Talk)
        other = self.offer(a=1)
        talk.take()
        thing.set_properties({"a": 1})
        other.set_properties({"a": 2})
        self.assertEqual([], talk.take())

    def test_field_and_callback(self) -> None:
        """The field holds what is being bound when its callback is called, and still when it is
        taken away."""
        seen: list[Any] = []

        @ComponentFactory("seeing")
        @Requires("thing", "spec")
        class Seeing:
            thing: Any

            @BindField("thing")
            def bound(self, field: str, thing: Any, reference: Any) -> None:
                seen.append((self.thing, thing))

            @Unbind
            def unbound(self, thing: Any, reference: Any) -> None:
                seen.append((self.thing, thing))

        self.make(Seeing)
        given = Thing()
        self.offer(service=given).unregister()
        self.assertEqual([(given, given)] * 2, seen)

    def test_killed_in_callback(self) -> None:
        """One that has itself killed while it becomes valid is gone after that, and what it
        provides was never registered."""
        ipopo = self.ipopo
        heard: list[Any] = []
        self.context.add_service_listener(heard.append, None, "brief")

        @ComponentFactory("brief")
        @Provides("brief")
        class Brief:
            @Validate
            def validate(self, context: Any) -> None:
                ipopo.kill("a")

        self.make(Brief)
        self.assertFalse(ipopo.is_registered_instance("a"))
        self.assertEqual([], heard)

    def test_made_in_callback(self) -> None:
        """One may make another while it becomes valid, even one that waits for it."""
        ipopo, context = self.ipopo, self.context

        @ComponentFactory("parent")
        @Provides("spec")
        class Parent:
            @Validate
            def validate(self, ignored: Any) -> None:
                ipopo.instantiate("talker", "child")

        ipopo.register_factory(context, Talk)
        self.make(Parent)
        self.assertEqual((Phase.VALID, Phase.VALID), (self.state(), self.state("child")))

    def test_not_inherited(self) -> None:
        """What is made at once of a class is not made of its subclass."""

        @ComponentFactory("base")
        @Instantiate("of base")
        class Base:
            pass

        @ComponentFactory("derived")
        class Derived(Base):
            pass

        self.ipopo.register_factory(self.context, Derived)
        self.assertEqual([], self.ipopo.get_instances())
        self.assertEqual(Phase.VALID, self.state() if self.make(Derived) else None)


class RequirementMomentsTests(FrameworkTestCase):
    """What is there before the component, and what each component has for itself."""

    def test_there_before(self) -> None:
        """All that is there already is injected before the component becomes valid, of whatever
        kind the requirement is, and though it is optional."""
        seen: list[Any] = []

        @ComponentFactory("seeing")
        @Requires("one", "spec", optional=True)
        @Requires("all", "spec", optional=True, aggregate=True)
        @RequiresMap("map", "spec", "key", optional=True)
        @RequiresBroadcast("every", "spec")
        class Seeing:
            one: Any
            all: Any
            map: Any
            every: Any

            @Validate
            def validate(self, context: Any) -> None:
                seen.extend((self.one, self.all, self.map, bool(self.every)))

        first, second = Thing("1"), Thing("2")
        self.offer(service=first, key=1)
        self.offer(service=second, key=2)
        self.make(Seeing)
        self.assertEqual([first, [first, second], {1: first, 2: second}, True], seen)

    def test_optional_never_matters(self) -> None:
        """Whatever comes and goes of what is optional, the component is valid."""

        @ComponentFactory("careless")
        @Requires("all", "spec", optional=True, aggregate=True)
        @RequiresMap("map", "spec", "key", optional=True)
        @RequiresBroadcast("every", "spec")
        class Careless:
            map: Any

        careless = self.make(Careless)
        self.listener.take()
        for _ in range(2):
            self.offer(key=1).unregister()
        self.assertEqual({"BOUND a", "UNBOUND a"}, set(self.listener.take()))
        self.assertEqual((Phase.VALID, {}), (self.state(), careless.map))

    def test_own_variable(self) -> None:
        """Each component has a filter of its own properties; that of one does not concern
        another."""

        @ComponentFactory("wanting")
        @Property("want", value=1)
        @RequiresVarFilter("it", "spec", spec_filter="(a={want})")
        class Wanting:
            want: int
            it: Any

        one, two = Thing("1"), Thing("2")
        self.offer(service=one, a=1)
        self.offer(service=two, a=2)
        first, second = self.make(Wanting), self.make(Wanting, "b", want=2)
        self.assertEqual((one, two), (first.it, second.it))
        self.listener.take()
        first.want = 2
        self.assertEqual((two, two), (first.it, second.it))
        self.assertEqual({"a"}, {heard.split()[-1] for heard in self.listener.take()})

    def test_everything_asked(self) -> None:
        """Of a member that nobody has may be asked, too; only a call finds out."""

        @ComponentFactory("loud")
        @RequiresBroadcast("every", "spec", trace_exceptions=False)
        class Loud:
            every: Any

        loud = self.make(Loud)
        self.offer()
        member = loud.every.no.such.member
        self.assertFalse(member())
        self.assertTrue(loud.every.say())
