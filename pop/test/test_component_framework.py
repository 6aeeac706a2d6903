"""Frameworks: their own lives, properties, and that there may be several."""

from twisted.internet.defer import Deferred, TimeoutError

from pop.components.bundle import BundleState
from pop.components.errors import FrameworkStays, NoSuchBundle
from pop.components.framework import Framework, create_framework
from pop.test.bundles import FAILS, BundleCase, TellingFramework


class FrameworkCase(BundleCase):
    """A framework that has not been started yet."""

    def setUp(self) -> None:
        super().setUp()
        self.done(self.framework.stop())
        self.take()


class FrameworkTests(FrameworkCase):
    """Its life."""

    def test_twice(self) -> None:
        """It starts once and stops once; listeners to its end are told once."""
        self.assertTrue(
            self.context.add_framework_stop_listener(lambda: self.framework.told.append("stops"))
        )
        self.assertTrue(self.done(self.framework.start()))
        self.assertFalse(self.done(self.framework.start()))
        self.assertTrue(self.done(self.framework.stop()))
        self.assertFalse(self.done(self.framework.stop()))
        self.assertEqual(["stops"], self.take())

    def test_same_listener(self) -> None:
        """The same listener is told once."""
        for add in (
            self.context.add_framework_stop_listener,
            self.context.add_bundle_listener,
        ):
            self.assertEqual([True, False], [add(print), add(print)])
        for remove in (
            self.context.remove_framework_stop_listener,
            self.context.remove_bundle_listener,
        ):
            self.assertEqual([True, False], [remove(print), remove(print)])

    def test_order(self) -> None:
        """Bundles start in the order in which they were installed, and stop in the other; the
        framework itself has started after them. (iPOPO never says so.)"""
        self.install("a")
        self.install("b")
        self.listen()
        self.take()
        self.done(self.framework.start())
        self.assertEqual(
            [
                "pop.framework STARTING",
                *("a STARTING", "a starts", "a STARTED"),
                *("b STARTING", "b starts", "b STARTED"),
                "pop.framework STARTED",
            ],
            self.take(),
        )
        self.done(self.framework.stop())
        self.assertEqual(
            ["b stops", "a stops"], [told for told in self.take() if told.endswith("stops")]
        )

    def test_failing_bundle(self) -> None:
        """A bundle that fails hinders neither the others nor the framework."""
        bad = self.install("a", FAILS.format(error="ValueError"))
        good = self.install("b")
        self.assertTrue(self.done(self.framework.start()))
        states = [each.get_state() for each in (bad, good, self.framework)]
        self.assertEqual([BundleState.RESOLVED, BundleState.ACTIVE, BundleState.ACTIVE], states)
        self.assertTrue(self.done(self.framework.stop()))

    def test_failing_end(self) -> None:
        """One that cannot stop well hinders the others no more than that it cannot start."""
        bad = self.install("a", FAILS.format(error="ValueError"))
        good = self.install("b")
        self.framework.add_property("may.start", True)
        self.done(self.framework.start())
        self.assertTrue(self.done(self.framework.stop()))
        states = [each.get_state() for each in (bad, good, self.framework)]
        self.assertEqual([BundleState.RESOLVED] * 3, states)
        self.assertIs(None, self.context.get_service_reference("left.behind"))

    def test_end(self) -> None:
        """Those who wait for its end are told before the bundles stop; whoever awaits it, after
        all else."""
        self.install("a")
        self.install("b")
        self.done(self.framework.start())
        self.listen()
        told = self.framework.told
        self.context.add_framework_stop_listener(lambda: told.append("listener"))
        self.framework.wait_for_stop().addCallback(lambda ignored: told.append("awaited"))
        told.clear()
        self.done(self.framework.stop())
        steps = ("STOPPING", "stops", "STOPPING_PRECLEAN", "STOPPED")
        self.assertEqual(
            [
                *("pop.framework STOPPING", "listener"),
                *(f"{name} {step}" for name in "ba" for step in steps),
                *("pop.framework STOPPING_PRECLEAN", "pop.framework STOPPED", "awaited"),
            ],
            self.take(),
        )

    def test_needs_no_stop(self) -> None:
        """One that can be done without does not keep it from starting."""
        bad = self.install("a", FAILS.format(error="FrameworkException('not so bad')"))
        self.assertTrue(self.done(self.framework.start()))
        states = [bad.get_state(), self.framework.get_state()]
        self.assertEqual([BundleState.RESOLVED, BundleState.ACTIVE], states)

    def test_needs_stop(self) -> None:
        """A bundle that cannot live with what happened stops the framework."""
        self.install("a", FAILS.format(error="FrameworkException('fatal', needs_stop=True)"))
        self.assertFalse(self.done(self.framework.start()))
        self.assertEqual(BundleState.RESOLVED, self.framework.get_state())

    def test_own_registrations(self) -> None:
        """What a bundle registered is there while its activator stops it. (In iPOPO not while the
        framework stops.)"""
        text = """
            from pop.components.bundle import BundleActivator

            @BundleActivator
            class Activator:
                def start(self, context):
                    context.register_service("mine", "thing")
                def stop(self, context):
                    reference = context.get_service_reference("mine")
                    context.get_framework().told.append(context.get_service(reference))
            """
        self.install("a", text)
        self.done(self.framework.start())
        self.done(self.framework.stop())
        self.assertEqual(["thing"], self.take())

    def test_wait_for_stop(self) -> None:
        """One can wait until it has stopped; where it does not run, that is at once."""
        self.done(self.framework.wait_for_stop())
        self.done(self.framework.start())
        waiting = self.framework.wait_for_stop()
        self.assertNoResult(waiting)
        self.done(self.framework.stop())
        self.done(waiting)

    def test_wait_no_longer(self) -> None:
        """Who gives up waiting for its end does not keep it from ending, nor others from waiting.
        (There is no limit of time to give, as a Deferred has one.)"""
        self.done(self.framework.start())
        impatient = self.framework.wait_for_stop().addTimeout(5, self.clock)
        patient = self.framework.wait_for_stop()
        self.clock.advance(6)
        self.failed(impatient, TimeoutError)
        self.assertEqual(BundleState.ACTIVE, self.framework.get_state())
        self.done(self.framework.stop())
        self.done(patient)

    def test_bundle(self) -> None:
        """It is bundle 0, and cannot be uninstalled; its update starts it anew."""
        self.assertIs(self.framework, self.context.get_bundle(0))
        self.assertIs(self.framework, self.context.get_bundle())
        self.assertIs(self.framework, self.framework.get_bundle_by_name("pop.framework"))
        self.assertRaises(FrameworkStays, self.framework.uninstall)
        self.assertRaises(NoSuchBundle, self.context.get_bundle, 5)
        self.done(self.framework.start())
        self.done(self.install("a").start())
        self.done(self.framework.update())
        self.assertEqual(["a starts", "a stops", "a starts"], self.take())

    def test_twisted(self) -> None:
        """It is a service of Twisted."""
        self.framework.startService()
        self.assertTrue(self.framework.running)
        self.assertEqual(BundleState.ACTIVE, self.framework.get_state())
        self.done(self.framework.stopService())
        self.assertFalse(self.framework.running)
        self.assertEqual(BundleState.RESOLVED, self.framework.get_state())

    def test_several(self) -> None:
        """There may be several, which know nothing of each other."""
        other = TellingFramework()
        self.write("a", "")
        here = self.install("a")
        there = other.install_bundle("a", str(self.path))
        self.assertIsNot(here, there)
        self.done(other.start())
        self.assertEqual(BundleState.RESOLVED, here.get_state())
        self.assertEqual(["a starts"], other.told)
        self.assertEqual([], self.take())
        self.assertNotEqual(
            self.framework.get_property("framework.uid"), other.get_property("framework.uid")
        )

    def test_delete(self) -> None:
        """Deleted, it has stopped, and has no bundles any more; the latest goes first."""
        self.install("a")
        self.install("b")
        self.done(self.framework.start())
        self.listen()
        self.done(Deferred.fromCoroutine(self.framework.delete()))
        self.assertEqual([], self.context.get_bundles())
        self.assertEqual(BundleState.RESOLVED, self.framework.get_state())
        told = self.take()
        self.assertEqual(["b UNINSTALLED", "a UNINSTALLED"], told[-2:])
        self.assertLess(told.index("pop.framework STOPPED"), told.index("b UNINSTALLED"))

    def test_uninstalled_at_the_end(self) -> None:
        """A bundle may uninstall another, and start none, while the framework stops."""
        self.install("a")
        text = """
            from pop.components.bundle import BundleActivator

            @BundleActivator
            class Activator:
                def start(self, context): ...
                async def stop(self, context):
                    a = context.get_framework().get_bundle_by_name("a")
                    context.get_framework().told.append(context.get_framework().get_state().name)
                    await a.uninstall()
            """
        self.install("b", text)
        self.done(self.framework.start())
        self.take()
        self.assertTrue(self.done(self.framework.stop()))
        self.assertEqual(["STOPPING", "a stops"], self.take())
        self.assertEqual(["b"], [each.get_symbolic_name() for each in self.context.get_bundles()])


class PropertiesTests(FrameworkCase):
    """Its properties."""

    def test_environment(self) -> None:
        """A property wins over a variable of the environment, which is looked at only then."""
        given = {"a": 1}
        framework = Framework(given, environment={"a": "2", "b": "3"})
        given["a"] = 4
        context = framework.get_bundle_context()
        values = [context.get_property(name) for name in ("a", "b", "c")]
        self.assertEqual([1, "3", None], values)
        self.assertEqual({"a", "framework.uid"}, set(framework.get_properties()))
        framework.get_properties()["a"] = 5
        self.assertEqual(1, context.get_property("a"))

    def test_add(self) -> None:
        """A property can be added, once."""
        self.assertTrue(self.framework.add_property("x", 1))
        self.assertFalse(self.framework.add_property("x", 2))
        self.assertEqual(1, self.context.get_property("x"))

    def test_create(self) -> None:
        """One can be made with bundles in it."""
        framework = create_framework(["json"], {"x": 1})
        self.assertEqual(["json"], [each.get_symbolic_name() for each in framework.get_bundles()])
        self.assertEqual(1, framework.get_property("x"))
