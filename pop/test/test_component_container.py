"""What lives in a container, and what its end and the ends of others mean for that."""

import sys
from typing import Any

from twisted.logger import capturedLogs

from pop.components import (
    ComponentFactory,
    Invalidate,
    Property,
    Provides,
    Requires,
    RequiresBest,
    RequiresBroadcast,
    RequiresMap,
    use_ipopo,
)
from pop.components.bundle import Bundle
from pop.components.errors import NoComponents
from pop.components.factory import FactoryManipulationError
from pop.components.framework import Framework
from pop.components.life import Phase
from pop.test.frameworks import FrameworkTestCase, Later
from pop.test.talkers import Talk
from pop.test.test_component_handlers import Handled, HandlersCase
from pop.test.test_components import SAID, BundlesTestCase

ENDS = Later()
"""How long the components of these tests' bundles take to end."""

SLOW = """
from pop.test.test_component_container import ENDS

@ComponentFactory("slow")
@Instantiate("slow")
class Slow:
    @Invalidate
    def end(self, context):
        SAID.append("ends")
        return ENDS()
"""


class ContainerTests(BundlesTestCase):
    """The bundle in which components live."""

    def container(self) -> Bundle:
        """It."""
        found = self.framework.get_bundle_by_name("pop.components.ipopo")
        assert found is not None
        return found

    def test_ends(self) -> None:
        """When it stops, all components are gone, the latest first, and all factories; when it
        starts again, those that belong to bundles that are active are made again."""
        text = '@ComponentFactory("{0}")\n@Instantiate("{0}")\nclass It: pass\n'
        for name in ("first", "second"):
            self.bundle(f"{name}_bundle", text.format(name))
        self.listener.take()
        self.successResultOf(self.container().stop())
        killed = [said for said in self.listener.take() if "KILLED" in said]
        self.assertEqual(["KILLED second", "KILLED first"], killed)
        self.assertEqual(([], []), (self.ipopo.get_instances(), self.ipopo.get_factories()))
        self.successResultOf(self.container().start())
        with use_ipopo(self.context) as ipopo:
            self.assertIsNot(self.ipopo, ipopo)
            names = [name for name, _, _ in ipopo.get_instances()]
        self.assertEqual(["first", "second"], names)

    def test_waits(self) -> None:
        """It has stopped only once all have ended, and so has each bundle."""
        bundle = self.bundle("slow_bundle", SLOW)
        for stopping in (bundle, self.container()):
            stopped = stopping.stop()
            self.assertEqual(["ends"], SAID)
            self.assertNoResult(stopped)
            ENDS.end()
            self.successResultOf(stopped)
            SAID.clear()
            self.successResultOf(bundle.stop())
            self.successResultOf(bundle.start())

    def test_others_stay(self) -> None:
        """The end of a bundle, or of a factory, is not that of others' components."""
        text = '@ComponentFactory("{0}")\n@Instantiate("{0}")\nclass It: pass\n'
        one = self.bundle("first_bundle", text.format("first"))
        self.bundle("second_bundle", text.format("second"))
        self.make(Talk)
        self.successResultOf(one.stop())
        self.assertEqual(["a", "second"], self.names())
        self.assertEqual(["second", "talker"], self.ipopo.get_factories())
        self.successResultOf(self.ipopo.unregister_factory("talker"))
        self.assertEqual(["second"], self.names())

    def test_after_an_update(self) -> None:
        """Components that come back after an update do so once; when their bundle starts another
        time, those come that it says."""
        text = '@ComponentFactory("f")\nclass F: pass\n'
        bundle = self.bundle("updated_bundle", text)
        for new in (text, "nonsense("):
            self.ipopo.instantiate("f", "again", {"pelix.ipopo.auto_restart": True})
            self.write("updated_bundle", new)
            bundle.update().addErrback(lambda failure: None)
            self.assertEqual(["again"], self.names())
            self.successResultOf(bundle.stop())
            self.successResultOf(bundle.start())
            self.assertEqual([], self.names())

    def test_defined_elsewhere(self) -> None:
        """A factory that a bundle has imported is not its own, though nobody else has started it;
        a class that is but half a factory is none. What else it defines is not harmed."""
        self.write("defining_bundle", '@ComponentFactory("f")\n@Instantiate("i")\nclass F: ...\n')
        sys.path.insert(0, str(self.path))
        self.addCleanup(sys.path.remove, str(self.path))
        self.bundle(
            "importing_bundle",
            """
            from defining_bundle import F

            @Provides("half")
            class Half: ...

            @ComponentFactory("own")
            @Instantiate("own")
            class Own: ...
            """,
        )
        self.assertEqual((["own"], ["own"]), (self.names(), self.ipopo.get_factories()))

    def test_use(self) -> None:
        """It can be used for as long as a block lasts, where there is one."""
        with use_ipopo(self.context) as ipopo:
            self.assertIs(self.ipopo, ipopo)
        other = Framework({}, environment={})
        self.successResultOf(other.start())
        self.assertRaises(NoComponents, use_ipopo(other.get_bundle_context()).__enter__)


class FactoriesTests(FrameworkTestCase):
    """What makes components, and what they are made with."""

    def test_no_factory(self) -> None:
        """What is not decorated as a factory is refused as one."""

        @Provides("half")
        class Half:
            pass

        bad: Any
        for bad in (object, Half, "Half", None):
            self.assertRaises(
                FactoryManipulationError, self.ipopo.register_factory, self.context, bad
            )
        self.assertEqual([], self.ipopo.get_factories())

    def test_given_stays(self) -> None:
        """What one is made with stays the caller's, and as it is."""

        @ComponentFactory("valued")
        @Property("x", value=1)
        class Valued:
            x: int

        self.assertTrue(self.ipopo.register_factory(self.context, Valued))
        given = {"x": 2}
        it = self.ipopo.instantiate("valued", "a", given)
        self.ipopo.retry_erroneous("a", {"x": 4})
        self.assertEqual((2, {"x": 2}), (it.x, given))
        self.ipopo.reconfigure("a", {"x": 3})
        self.assertEqual((3, {"x": 2}), (it.x, given))
        shown = self.ipopo.get_instance_properties("a")
        shown["x"] = 5
        self.assertEqual(3, self.ipopo.get_instance_properties("a")["x"])

    def test_circle(self) -> None:
        """A circle of components that wait for each other is told in the log as soon as it is
        closed, by their names. (iPOPO says nothing.)"""
        with capturedLogs() as events:
            for name, other in (("one", "two"), ("two", "three"), ("three", "one")):

                @ComponentFactory(name)
                @Provides(name)
                @Requires("it", other)
                class Linked:
                    pass

                self.assertEqual([], events)
                self.make(Linked, name)
        [event] = events
        self.assertIn("one requires two (it), and two requires three (it)", event["sentence"])


class ListenersTests(FrameworkTestCase):
    """Those who listen to components."""

    def test_added(self) -> None:
        """One is told until it is removed, also by itself while it is told; what could not be told
        is none."""
        ipopo, heard = self.ipopo, self.listener.heard

        class Brief:
            def handle_ipopo_event(self, event: Any) -> None:
                heard.append("brief")
                ipopo.remove_listener(self)

        self.assertFalse(self.ipopo.add_listener(object()))
        self.assertTrue(self.ipopo.remove_listener(self.listener))
        self.assertFalse(self.ipopo.remove_listener(self.listener))
        self.assertTrue(self.ipopo.add_listener(Brief()))
        self.assertTrue(self.ipopo.add_listener(self.listener))
        self.make(Talk)
        self.assertEqual(["brief", "INSTANTIATED a"], self.listener.take())


class WaitingTests(HandlersCase):
    """Components that wait for handlers, and those that do not."""

    def test_killed(self) -> None:
        """One that is killed while it waits is gone, and does not come with the handler."""
        self.make(Handled)
        self.kill()
        self.assertEqual([], self.ipopo.get_waiting_components())
        self.contribute()
        self.assertEqual([], self.ipopo.get_instances())

    def test_others(self) -> None:
        """A handler that goes, or another for the same that does, or one for nothing, concerns
        nobody else."""
        talk = self.make(Talk)
        first, second = self.contribute(), self.contribute()
        nothing = self.context.register_service("ipopo.handler.factory", object())
        it = self.make(Handled, "b")
        self.listener.take()
        second.set_properties({"x": 1})
        second.unregister()
        nothing.unregister()
        self.assertHeard()
        first.unregister()
        self.assertHeard("INVALIDATED b", "KILLED b", "INSTANTIATED b")
        self.assertIs(talk, self.ipopo.get_instance("a"))
        self.assertIs(it, self.ipopo.get_instance("b"))
        self.assertEqual([], first.reference.get_using_bundles())


class EndingTests(FrameworkTestCase):
    """Components that end while others use them."""

    def test_users_first(self) -> None:
        """Whatever the kind of requirement, what a component provides is still there for those
        whose callbacks take their time, and it ends after them."""
        for decorator in (
            Requires("it", "spec", aggregate=True),
            RequiresBest("it", "spec"),
            RequiresMap("it", "spec", "instance.name"),
            RequiresBroadcast("it", "spec", optional=False),
        ):
            later = Later()
            said: list[str] = []

            @ComponentFactory("provider")
            @Provides("spec")
            class Provider:
                @Invalidate
                def invalidate(self, context: Any, said: list[str] = said) -> None:
                    said.append("provider ends")

            @ComponentFactory("user")
            @decorator
            class User:
                it: Any

                @Invalidate
                def invalidate(self, context: Any, later: Later = later) -> Any:
                    return later()

            self.make(Provider, "provider")
            user = self.make(User, "user")
            gone = self.ipopo.kill("provider")
            self.assertNoResult(gone)
            self.assertEqual(([], Phase.INVALIDATING), (said, self.state("user")))
            self.assertTrue(user.it)
            later.end()
            self.successResultOf(gone)
            self.assertEqual(["provider ends"], said)
            self.successResultOf(self.ipopo.unregister_factory("user"))
            self.successResultOf(self.ipopo.unregister_factory("provider"))
