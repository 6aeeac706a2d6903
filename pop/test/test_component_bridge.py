"""Components that configurations ask for, and those that follow one by their C{service.pid}."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from pop.components import (
    HANDLER_ID,
    SERVICE_HANDLER_FACTORY,
    SERVICE_WAITING_LIST,
    ComponentFactory,
    Handler,
    HiddenProperty,
    Invalidate,
    Phase,
    Property,
    Provides,
    RequiresConfiguration,
)
from pop.components.configuration.instances import COMPONENT_PID, FACTORY_NAME, UPDATE_POLICY
from pop.components.factory import context_of
from pop.test.configured import ConfiguredCase, admin_of


@ComponentFactory("lamp")
@Provides("lamp")
@Property("color", "color", "white")
@Property("pid", "service.pid")
@HiddenProperty("secret", "secret", "none")
class Lamp:
    """Has properties.

    @ivar ending: what its end waits for.
    """

    color: str
    pid: str
    secret: str
    ending: Deferred[None] | None = None

    @Invalidate
    def invalidate(self, context: Any) -> Any:
        """For the container."""
        return self.ending


class BridgeCase(ConfiguredCase):
    """A framework with a factory of lamps, and configurations that ask for some."""

    def setUp(self) -> None:
        super().setUp()
        self.ipopo.register_factory(self.context, Lamp)

    def ask(self, name: str = "", factory: str = "lamp", **properties: Any) -> str:
        """A new configuration that asks for a component; gives its PID."""
        made = self.admin.create_factory_configuration(COMPONENT_PID)
        self.change(made.get_pid(), name, factory, **properties)
        return made.get_pid()

    def change(
        self, pid: str, name: str = "", factory: str = "lamp", restart: bool = False, **given: Any
    ) -> None:
        """Change such a configuration."""
        said = {FACTORY_NAME: factory, "instance.name": name, **given}
        if restart:
            said[UPDATE_POLICY] = "restart"
        self.successResultOf(
            self.admin.get_configuration(pid).update({k: v for k, v in said.items() if v})
        )

    def names(self) -> list[str]:
        """The components that there are."""
        return [name for name, *_ in self.ipopo.get_instances()]


class InstancesTests(BridgeCase):
    """Components that configurations ask for."""

    def test_made(self) -> None:
        """A configuration makes a component, by the PID's name if it says none, with its
        properties; deleted, it kills it."""
        pid = self.ask("a", color="red")
        other = self.ask(color="blue")
        self.assertEqual(sorted(["a", other]), self.names())
        self.assertEqual("red", self.ipopo.get_instance("a").color)
        self.assertEqual(pid, self.ipopo.get_instance("a").pid)
        self.delete(pid)
        self.assertEqual([other], self.names())

    def test_changed(self) -> None:
        """Its properties change in flight; those that are said no more are what they are when
        nobody says them, for this one and the next."""
        pid = self.ask("a", color="red", place="hall", **{".secret": "x"})
        made = self.ipopo.get_instance("a")
        self.assertEqual("x", made.secret)
        self.assertNotIn(".secret", self.ipopo.get_instance_properties("a"))
        self.change(pid, "a", place2=1)
        self.assertIs(made, self.ipopo.get_instance("a"))
        self.assertEqual(("white", "none"), (made.color, made.secret))
        self.assertNotIn("place", self.ipopo.get_instance_properties("a"))
        self.assertNotIn("color", self.ipopo.component("a").given)

    def test_default_of_the_framework(self) -> None:
        """What the framework says of a property comes back before what the class says."""
        self.framework.add_property("color", "green")
        pid = self.ask("a", color="red")
        self.change(pid, "a")
        self.assertEqual("green", self.ipopo.get_instance("a").color)

    def test_restarted(self) -> None:
        """With the policy to restart, each change makes it anew."""
        pid = self.ask("a", restart=True, color="red")
        made = self.ipopo.get_instance("a")
        self.change(pid, "a", restart=True, color="blue")
        self.assertIsNot(made, self.ipopo.get_instance("a"))
        self.assertEqual("blue", self.ipopo.get_instance("a").color)

    def test_renamed(self) -> None:
        """Another name, or factory, kills the old one first, however long that takes."""
        pid = self.ask("a")
        ending = self.ipopo.get_instance("a").ending = Deferred()
        changing = self.admin.get_configuration(pid).update(
            {FACTORY_NAME: "lamp", "instance.name": "b"}
        )
        self.assertEqual(["a"], self.names())
        ending.callback(None)
        self.successResultOf(changing)
        self.assertEqual(["b"], self.names())
        self.change(pid, "b", "no such factory")
        self.assertEqual([], self.names())

    def test_later(self) -> None:
        """A factory that comes later makes it then, and again when it comes back, with what the
        configuration says by then."""
        pid = self.ask("a", "later", color="red")
        self.assertEqual([], self.names())

        @ComponentFactory("later")
        @Property("color", "color", "white")
        class Later:
            color: str

        self.ipopo.register_factory(self.context, Later)
        self.assertEqual("red", self.ipopo.get_instance("a").color)
        self.successResultOf(self.ipopo.unregister_factory("later"))
        self.change(pid, "a", "later", color="blue")
        self.ipopo.register_factory(self.context, Later)
        self.assertEqual("blue", self.ipopo.get_instance("a").color)

    def test_no_factory(self) -> None:
        """One that names no factory makes nothing, and ends what it has made."""
        pid = self.ask("a")
        self.change(pid, "a", "")
        self.assertEqual([], self.names())
        [trouble] = self.admin.get_configuration(pid).troubles()
        self.assertIn("does not say the factory's name", trouble)
        self.change(pid, "a")
        self.assertEqual(["a"], self.names())

    def test_twice(self) -> None:
        """Of two that ask for the same name, the first has it; the other's end leaves it alone, and
        what is wrong is said in a sentence."""
        self.ask("a", color="red")
        with capturedLogs() as logged:
            other = self.ask("a", color="blue")
        [event] = [event for event in logged if "pid" in event]
        trouble = "The component a is on the waiting list already."
        self.assertIn(trouble, str(formatEvent(event)))
        self.assertEqual([trouble], self.admin.get_configuration(other).troubles())
        self.change(other, "b")
        self.assertEqual([], self.admin.get_configuration(other).troubles())
        self.delete(other)
        self.assertEqual("red", self.ipopo.get_instance("a").color)

    def test_second_has_it_then(self) -> None:
        """When the first of two is deleted, or asks for another name, the second has the name."""
        first, second = self.ask("a", color="red"), self.ask("a", color="blue")
        third = self.ask("a", color="green")
        self.delete(first)
        self.assertEqual("blue", self.ipopo.get_instance("a").color)
        self.assertEqual([], self.admin.get_configuration(second).troubles())
        self.change(second, "b", color="blue")
        self.assertEqual("green", self.ipopo.get_instance("a").color)
        self.assertEqual([], self.admin.get_configuration(third).troubles())
        self.assertEqual(["a", "b"], self.names())

    def test_there_already(self) -> None:
        """One that asks for a name that a component has, which nobody asked for, says so for as
        long as it does."""
        self.make(Lamp)
        pid = self.ask("a", color="red")
        trouble = ["There is a component a already, of the factory lamp."]
        self.assertEqual(trouble, self.admin.get_configuration(pid).troubles())
        self.change(pid, "a", color="blue")
        self.assertEqual(trouble, self.admin.get_configuration(pid).troubles())
        self.change(pid, "b", color="blue")
        self.assertEqual([], self.admin.get_configuration(pid).troubles())
        self.assertEqual(["a", "b"], self.names())

    def test_off_the_list(self) -> None:
        """If somebody has taken the component off the waiting list, the next change makes it."""
        pid = self.ask("a")
        reference = self.context.get_service_reference(SERVICE_WAITING_LIST)
        assert reference is not None
        self.successResultOf(self.context.get_service(reference).remove("a"))
        self.assertEqual([], self.names())
        self.change(pid, "a", color="red")
        self.assertEqual("red", self.ipopo.get_instance("a").color)

    def test_taken_off(self) -> None:
        """Whoever kills the component by hand does not keep its configuration from making another,
        nor from being deleted."""
        pid, other = self.ask("a"), self.ask("b")
        for name in ("a", "b"):
            self.kill(name)
        self.delete(other)
        self.change(pid, "a", color="red", restart=True)
        self.assertEqual(["a"], self.names())

    def test_bundles_come_and_go(self) -> None:
        """Its components end with the bundle of configurations, which waits for them, and those
        that others have made do not; the bundle of components may come back, too."""
        self.make(Lamp, "mine")
        self.ask("a")
        ending = self.ipopo.get_instance("a").ending = Deferred()
        stopping = self.bundle.stop()
        self.assertNoResult(stopping)
        ending.callback(None)
        self.successResultOf(stopping)
        self.assertEqual(["mine"], self.names())
        self.successResultOf(self.bundle.start())
        self.admin = admin_of(self.framework)
        self.ask("b")
        ipopo = self.framework.get_bundle_by_name("pop.components.ipopo")
        assert ipopo is not None
        self.successResultOf(ipopo.stop())
        self.successResultOf(ipopo.start())
        reference = self.context.get_service_reference("pelix.ipopo.core")
        assert reference is not None
        self.ipopo = self.context.get_service(reference)
        self.ipopo.register_factory(self.context, Lamp)
        self.assertEqual(["b"], self.names())


class FollowersTests(BridgeCase):
    """Components that say which configuration is theirs, and do not require it."""

    def test_followed(self) -> None:
        """It has what there is before it is valid for the first time, and whatever comes."""
        self.update("x", color="red")
        made = self.make(Lamp, service__pid="x")
        self.assertEqual("red", made.color)
        self.assertEqual(Phase.VALID, self.state())
        self.update("x", color="blue", place="hall")
        self.assertEqual("blue", made.color)
        self.delete("x")
        self.assertEqual("white", made.color)
        self.assertNotIn("place", self.ipopo.get_instance_properties("a"))
        self.kill()
        self.update("x", color="green")
        self.assertEqual("white", made.color)

    def test_there_before(self) -> None:
        """One that was made before the bundle started is followed, too; when it stops, the
        component keeps what it has."""
        self.successResultOf(self.bundle.stop())
        made = self.make(Lamp, service__pid="x")
        self.successResultOf(self.bundle.start())
        self.admin = admin_of(self.framework)
        self.update("x", color="red")
        self.successResultOf(self.bundle.stop())
        self.assertEqual("red", made.color)
        self.assertEqual([], list(self.ipopo.component("a").handlers))

    def test_waits_for_others(self) -> None:
        """One that waits for a handler is followed, too, and once only when that has come."""

        class Handlers:
            def get_handlers(self, component: Any, instance: Any) -> list[Handler]:
                return []

        @ComponentFactory("waits")
        @Property("color", "color", "white")
        @Property("pid", "service.pid", "x")
        class Waits:
            color: str

        declared = context_of(Waits)
        assert declared is not None
        declared.configuration("test.handler")["x"] = None
        self.successResultOf(self.bundle.stop())
        made = self.make(Waits)
        self.successResultOf(self.bundle.start())
        self.context.register_service(
            SERVICE_HANDLER_FACTORY, Handlers(), {HANDLER_ID: "test.handler"}
        )
        admin_of(self.framework).get_configuration("x").update({"color": "red"})
        self.assertEqual("red", made.color)
        found = self.context.get_all_service_references("pelix.configadmin.managed")
        self.assertEqual(1, len(found))

    def test_comes_back(self) -> None:
        """One that comes back with a handler it needs is followed as before."""

        class Handlers:
            def get_handlers(self, component: Any, instance: Any) -> list[Handler]:
                return []

        @ComponentFactory("back")
        @Property("color", "color", "white")
        @Property("pid", "service.pid", "x")
        class Back:
            color: str

        declared = context_of(Back)
        assert declared is not None
        declared.configuration("test.handler")["x"] = None
        given = {HANDLER_ID: "test.handler"}
        first = self.context.register_service(SERVICE_HANDLER_FACTORY, Handlers(), given)
        made = self.make(Back)
        first.unregister()
        self.context.register_service(SERVICE_HANDLER_FACTORY, Handlers(), given)
        self.update("x", color="red")
        self.assertEqual("red", made.color)

    def test_not_followed(self) -> None:
        """Those that a configuration has made, that require one, or that are told of theirs
        themselves, have what these ways give them, and no more."""

        @ComponentFactory("required")
        @RequiresConfiguration()
        class Required:
            pass

        @ComponentFactory("managed")
        @Provides("pelix.configadmin.managed")
        @Property("pid", "service.pid")
        @Property("color", "color", "white")
        class Managed:
            color: str

            def updated(self, properties: Any) -> None:
                """For the administration."""

        self.make(Required, "required", service__pid="x")
        managed = self.make(Managed, "managed", service__pid="x")
        self.ask("asked")
        found = self.context.get_all_service_references("pelix.configadmin.managed")
        self.assertEqual(2, len(found))
        self.update("x", color="red")
        self.assertEqual("white", managed.color)
        self.assertEqual(Phase.VALID, self.state("required"))
