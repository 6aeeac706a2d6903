"""Components that require a configuration."""

from typing import Any

from twisted.internet.defer import Deferred

from pop.components import (
    AUTO_RESTART,
    ComponentFactory,
    HiddenProperty,
    Invalidate,
    Phase,
    Property,
    Provides,
    Requires,
    RequiresConfiguration,
    Validate,
    use_ipopo,
)
from pop.components.factory import context_of
from pop.test.configured import ConfigurationCase, ConfiguredCase, admin_of

DULL = ("objectClass", "service.id", "service.bundleid", "service.scope", "instance.name")
"""Properties that every component's registration has."""


class Lamp:
    """Has properties, and notes those with which it becomes valid and invalid."""

    color: str
    watts: int
    secret: str

    def __init__(self) -> None:
        self.noted: list[Any] = []
        self.then: Any = None
        self.last: Any = None

    @Validate
    def validate(self, context: Any) -> Any:
        """For the container."""
        self.noted.append(("on", self.color))
        return self.then and self.then()

    @Invalidate
    def invalidate(self, context: Any) -> Any:
        """For the container."""
        self.noted.append(("off", self.color))
        return self.last and self.last()

    def take(self) -> list[Any]:
        """What was noted since the last time."""
        noted, self.noted = self.noted, []
        return noted


def lamp(*given: Any, **options: Any) -> type:
    """A class of lamps that require a configuration."""

    @ComponentFactory("lamp")
    @Provides("lamp")
    @RequiresConfiguration(*given, **options)
    @Property("color", "color", "white")
    @Property("watts", "watts", 40)
    @HiddenProperty("secret", "secret", "none")
    class Made(Lamp):
        pass

    return Made


class RequiredTests(ConfiguredCase):
    """The usual way: invalid without one, and changed in flight."""

    def shown(self) -> dict[str, Any]:
        """What the lamp's registration shows of what was configured."""
        reference = self.context.get_service_reference("lamp")
        assert reference is not None
        properties = reference.get_properties()
        return {
            name: properties[name] for name in properties if name not in DULL and properties[name]
        }

    def test_invalid_until_configured(self) -> None:
        """It is invalid and says why, until its configuration is there; then it has what that
        says, before it becomes valid."""
        made = self.make(lamp("a"))
        self.assertEqual(Phase.INVALID, self.state())
        why = self.ipopo.get_instance_details("a")["why"]
        self.assertEqual(["there is no configuration a"], why)
        self.update(color="red", watts=60)
        self.assertEqual([("on", "red")], made.take())
        self.assertEqual({"color": "red", "watts": 60}, self.shown())

    def test_configured_before(self) -> None:
        """If the configuration is there already, it is valid when it has been made."""
        self.update(color="red")
        self.make(lamp("a"))
        self.assertEqual(Phase.VALID, self.state())
        self.assertHeard("INSTANTIATED a", "VALIDATED a")

    def test_changes(self) -> None:
        """It goes on while its configuration changes, and its registration shows that; what is
        configured no more is what it was before, be it given, declared, hidden, or not there."""
        made = self.make(lamp("a"), watts=25)
        self.update(color="red", watts=60, place="hall", **{".secret": "x"})
        self.assertEqual("x", made.secret)
        self.assertEqual({"color": "red", "watts": 60, "place": "hall"}, self.shown())
        self.update(watts=60, service__ranking=3)
        self.assertEqual("none", made.secret)
        self.assertEqual({"color": "white", "watts": 60, "service.ranking": 3}, self.shown())
        self.update()
        self.assertEqual({"color": "white", "watts": 25}, self.shown())
        self.assertEqual([("on", "red")], made.take())

    def test_deleted(self) -> None:
        """It is invalidated with what it had, and then has what it had before; and comes back."""
        made = self.make(lamp("a"))
        self.update(color="red")
        self.delete()
        self.assertEqual([("on", "red"), ("off", "red")], made.take())
        self.assertEqual("white", made.color)
        self.assertEqual(Phase.INVALID, self.state())
        self.update(color="blue")
        self.assertEqual([("on", "blue")], made.take())

    def test_other_pid(self) -> None:
        """Without a PID it is the one that the component was given; without that, it is never
        valid and says so."""
        self.make(lamp(), service__pid="b")
        self.make(lamp(), "without")
        self.make(lamp(), "odd", service__pid=5)
        self.update("a", color="red")
        self.assertEqual(Phase.INVALID, self.state())
        self.update("b", color="red")
        self.assertEqual(Phase.VALID, self.state())
        self.assertEqual(Phase.INVALID, self.state("without"))
        self.assertEqual(Phase.INVALID, self.state("odd"))
        [why] = self.ipopo.get_instance_details("without")["why"]
        self.assertIn("no property service.pid", why)

    def test_other_requirements(self) -> None:
        """A configuration alone does not do if it requires more, nor does the rest alone."""

        @ComponentFactory("both")
        @Requires("it", "spec")
        @RequiresConfiguration("a")
        class Both:
            it: Any

        made = self.make(Both)
        self.update(x=1)
        self.assertEqual(Phase.INVALID, self.state())
        registration = self.offer()
        self.assertEqual(Phase.VALID, self.state())
        self.delete()
        self.assertEqual(Phase.INVALID, self.state())
        self.assertEqual("<spec>", repr(made.it))
        self.update(x=1)
        self.assertEqual(Phase.VALID, self.state())
        registration.unregister()
        self.assertEqual(Phase.INVALID, self.state())

    def test_back_in_time(self) -> None:
        """One whose configuration is there again before it has been invalidated for that, is
        invalidated once, and then has what that says."""
        made = self.make(lamp("a"))
        self.update(color="red")
        ending: Deferred[None] = Deferred()
        made.last = lambda: ending
        self.delete()
        self.update(color="blue")
        ending.callback(None)
        self.assertEqual([("on", "red"), ("off", "red"), ("on", "blue")], made.take())
        self.assertEqual(Phase.VALID, self.state())

    def test_killed(self) -> None:
        """One that is gone is told nothing, and is managed no more."""
        made = self.make(lamp("a"))
        self.update(color="red")
        self.kill()
        self.update(color="blue")
        self.assertEqual("white", made.color)
        self.assertEqual([], self.context.get_all_service_references("pelix.configadmin.managed"))

    def test_erroneous(self) -> None:
        """One that failed tries again at once when its configuration changes."""
        made = self.make(lamp("a"))
        made.then = lambda: 1 / 0
        self.update(color="red")
        self.assertEqual(Phase.ERRONEOUS, self.state())
        self.flushLoggedErrors(ZeroDivisionError)
        made.then = None
        self.update(color="blue")
        self.assertEqual(Phase.VALID, self.state())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_held(self) -> None:
        """One that was invalidated by hand stays so, and has its properties when it goes on."""
        made = self.make(lamp("a"))
        self.update(color="red")
        self.ipopo.invalidate("a")
        made.take()
        self.update(color="blue")
        self.assertEqual(Phase.INVALID, self.state())
        self.ipopo.retry_erroneous("a")
        self.assertEqual([("on", "blue")], made.take())

    def test_waits_for_the_bundle(self) -> None:
        """Without the bundle of configurations it waits, and again when that goes; then it has what
        it had before, and the same when the bundle is there again."""
        self.successResultOf(self.bundle.stop())
        made = self.make(lamp("a"), watts=25)
        self.assertEqual(
            [("a", "lamp", {"ipopo.configadmin"})], self.ipopo.get_waiting_components()
        )
        for color in ("red", "blue"):
            self.successResultOf(self.bundle.start())
            self.admin = admin_of(self.framework)
            self.update(color=color, watts=60)
            self.assertEqual(Phase.VALID, self.state())
            self.successResultOf(self.bundle.stop())
            self.assertEqual([("on", color), ("off", color)], made.take())
            self.assertEqual(("white", 25), (made.color, made.watts))
        self.successResultOf(self.bundle.start())
        self.admin = admin_of(self.framework)
        self.update()
        self.assertEqual({"color": "white", "watts": 25}, self.shown())


class OptionalTests(ConfiguredCase):
    """Components that may be valid without."""

    def test_at_once(self) -> None:
        """It is valid without one, has what one says when there is one, and goes on after."""
        made = self.make(lamp("a", optional=True))
        self.update(color="red")
        self.assertEqual("red", made.color)
        self.delete()
        self.assertEqual("white", made.color)
        self.assertEqual([("on", "white")], made.take())


class RestartTests(ConfiguredCase):
    """Components that are invalid while their configuration changes."""

    def test_restarts(self) -> None:
        """It is invalidated with the old properties, and validated with the new."""
        made = self.make(lamp("a", update_policy="restart"))
        self.update(color="red")
        self.update(color="red")
        self.update(color="blue")
        self.assertEqual([("on", "red"), ("off", "red"), ("on", "blue")], made.take())

    def test_optional(self) -> None:
        """One that may be valid without is restarted when one comes, and when it goes."""
        made = self.make(lamp("a", optional=True, update_policy="restart"))
        self.update(color="red")
        self.delete()
        colors = [color for _, color in made.take()]
        self.assertEqual(["white", "white", "red", "red", "white"], colors)

    def test_slow_callbacks(self) -> None:
        """What changes while a callback takes its time comes true after it, the latest only."""
        made = self.make(lamp("a", update_policy="restart"))
        first: Deferred[None] = Deferred()
        made.then = lambda: first
        self.update(color="red")
        self.update(color="blue")
        self.update(color="green")
        self.assertEqual("red", made.color)
        made.then = None
        first.callback(None)
        self.assertEqual([("on", "red"), ("off", "red"), ("on", "green")], made.take())
        self.assertEqual(Phase.VALID, self.state())

    def test_fails_with_the_old(self) -> None:
        """If the callback fails that the change has come in, the new ones are tried at once."""
        made = self.make(lamp("a", update_policy="restart"))
        first: Deferred[None] = Deferred()
        made.then = lambda: first
        self.update(color="red")
        self.update(color="blue")
        made.then = None
        first.errback(ValueError("red is no good"))
        self.flushLoggedErrors(ValueError)
        self.assertEqual(Phase.VALID, self.state())
        self.assertEqual([("on", "red"), ("off", "red"), ("on", "blue")], made.take())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_updates_itself(self) -> None:
        """One that changes its own configuration when it becomes valid, and waits for that, waits
        for nobody else: it is restarted with what it has set."""
        for policy in ("restart", "reconfigure"):
            made = self.make(lamp(policy, update_policy=policy), policy)

            async def change(policy: str = policy) -> None:
                await self.admin.get_configuration(policy).update({"color": "blue"})

            made.then = change
            self.update(policy, color="red")
            self.assertEqual(Phase.VALID, self.state(policy))
            self.assertEqual("blue", made.color)
            self.assertEqual([], self.clock.getDelayedCalls())
            self.ipopo.unregister_factory("lamp")


class DeclarationTests(ConfiguredCase):
    """The decorator."""

    def test_refused(self) -> None:
        """What makes no sense is refused where it is written."""
        for bad in ({"pid": " "}, {"pid": ""}, {"update_policy": "never"}):
            self.assertRaises(ValueError, RequiresConfiguration, **bad)
        self.assertRaises(TypeError, RequiresConfiguration, 5)

    def test_inherited(self) -> None:
        """A subclass is configured like its parent, unless it says otherwise or leaves it out."""
        parent = lamp("a")

        @ComponentFactory("child")
        class Child(parent):  # type: ignore[misc, valid-type]
            pass

        @ComponentFactory("other")
        @RequiresConfiguration("b")
        class Other(parent):  # type: ignore[misc, valid-type]
            pass

        @ComponentFactory("free", excluded="ipopo.configadmin")
        class Free(parent):  # type: ignore[misc, valid-type]
            pass

        for cls in (Child, Other, Free):
            self.make(cls, cls.__name__)
        self.update("a")
        states = [self.state(name) for name in ("Child", "Other", "Free")]
        self.assertEqual([Phase.VALID, Phase.INVALID, Phase.VALID], states)
        declared = context_of(Child)
        assert declared is not None
        self.assertEqual({"ipopo.configadmin"}, set(declared.configurations))


class UpdatedBundleTests(ConfigurationCase):
    """Components that come back after an update of their bundle."""

    TEXT = """
        from pop.components import ComponentFactory, Property, RequiresConfiguration

        @ComponentFactory()
        {required}
        @Property("color", "color", "white")
        @Property("pid", "service.pid", "a")
        class Lamp:
            pass
        """

    def test_comes_back(self) -> None:
        """What a configuration says is not taken for what they were given: when it says so no more,
        they have what they had without it."""
        self.done(self.context.install_bundle("pop.components.ipopo").start())
        for name, required in (("one", "@RequiresConfiguration('a')"), ("two", "")):
            bundle = self.install(name, self.TEXT.format(required=required))
            self.update(color="red")
            self.done(bundle.start())
            with use_ipopo(self.context) as ipopo:
                ipopo.instantiate("LampFactory", "lamp", {AUTO_RESTART: True})
                self.done(bundle.update())
                lamp = ipopo.get_instance("lamp")
            self.assertEqual("red", lamp.color)
            self.update(x=1)
            self.assertEqual("white", lamp.color)
            self.done(bundle.stop())
