"""The lives of bundles."""

import sys
from typing import Any

from twisted.internet.defer import Deferred

from pop.components.bundle import BundleState
from pop.components.errors import (
    BundleException,
    CallTimeout,
    ContextGone,
    NoSuchBundle,
    NotImported,
    NotStarted,
    NotStopped,
    TooEarly,
    Uninstalled,
)
from pop.components.events import BundleEvent, ServiceEvent
from pop.test.bundles import FAILS, BundleCase, TellingFramework


class InstallTests(BundleCase):
    """Modules become bundles."""

    def test_install(self) -> None:
        """A module is a bundle of its name once; numbers count up, and sys.path stays."""
        a, b = self.install("a"), self.install("b")
        self.assertEqual([a, b], self.context.get_bundles())
        self.assertEqual([1, 2], [a.get_bundle_id(), b.get_bundle_id()])
        self.assertIs(a, self.install("a"))
        self.assertIs(a, self.context.get_bundle(1))
        self.assertEqual(BundleState.RESOLVED, a.get_state())
        self.assertEqual(str(self.path / "a.py"), a.get_location())

    def test_unknown(self) -> None:
        """What cannot be imported is refused, for whatever reason, and is no bundle."""
        name: Any
        for name in ("no.such.module", "", "no name", ".relative", None):
            self.assertRaises(NotImported, self.context.install_bundle, name)
        for text, words in (
            ("1 +", "SyntaxError"),
            ("import sys; sys.exit(3)", "SystemExit: 3"),
            ("x = 1\nundefined", "NameError: name 'undefined' is not defined"),
        ):
            error = self.assertRaises(NotImported, self.install, "bad", text)
            self.assertIn(words, str(error))
        self.assertIn("bad.py, line 2", str(error))
        self.assertEqual([], self.context.get_bundles())

    def test_where(self) -> None:
        """Of what its author has done wrong, the place is told where that can be mended."""
        text = """
            from pop.components import ComponentFactory, Provides, Requires

            @ComponentFactory("a")
            {wrong}
            class A:
                pass
            """
        for wrong in (
            '@Provides("blank ")',
            '@Requires("x")',
            '@Requires("x", "y", spec_filter="(")',
        ):
            error = self.assertRaises(NotImported, self.install, "bad", text.format(wrong=wrong))
            self.assertIn(f"({self.path / 'bad.py'}, line 5)", str(error))

    def test_version(self) -> None:
        """The version is what the module says, or its package, or 0.0.0."""
        self.assertEqual("1.2", self.install("a", "__version__ = '1.2'").get_version())
        self.assertEqual("1.3", self.install("b", "__version_info__ = (1, 3)").get_version())
        self.assertEqual("0.0.0", self.install("c", "").get_version())
        self.write("p.__init__", "__version__ = '2.0'")
        self.assertEqual("2.0", self.install("p.a", "").get_version())
        self.assertEqual("2.1", self.install("p.b", "__version__ = '2.1'").get_version())

    def test_package(self) -> None:
        """A package is installed with its modules; those that cannot be are named."""
        self.write("p.__init__", "")
        self.write("p.__main__", "1 / 0")
        self.write("p.good", "")
        self.write("p.bad", "1 / 0")
        self.write("p.q.__init__", "")
        self.write("p.q.deep", "")
        bundles, failed = self.context.install_package(str(self.path / "p"))
        names = {bundle.get_symbolic_name() for bundle in bundles}
        self.assertEqual(({"p", "p.good"}, {"p.bad"}), (names, failed))
        bundles, failed = self.context.install_package(str(self.path / "p"), recursive=True)
        names = {bundle.get_symbolic_name() for bundle in bundles}
        self.assertEqual({"p", "p.good", "p.q", "p.q.deep"}, names)

    def test_visiting(self) -> None:
        """Which modules of a package are installed can be chosen."""
        self.write("p.__init__", "")
        self.write("p.a", "")
        self.write("p.b", "")
        bundles, _ = self.context.install_visiting(
            str(self.path / "p"), lambda name, is_package, path: name.endswith("a")
        )
        self.assertEqual({"p", "p.a"}, {bundle.get_symbolic_name() for bundle in bundles})

    def test_no_package(self) -> None:
        """A directory that is not there is refused; a package that fails installs nothing."""
        for error in (BundleException, ValueError):
            self.assertRaises(error, self.context.install_package, str(self.path / "no"))
        nobody: Any = None
        self.assertRaises(BundleException, self.context.install_visiting, str(self.path), nobody)
        self.write("p.__init__", "1 / 0")
        self.write("p.a", "")
        self.assertEqual((set(), {"p"}), self.context.install_package(str(self.path / "p")))


class LifeTests(BundleCase):
    """They start, stop and go."""

    def test_events(self) -> None:
        """Each step is told, in order, around what the activator does."""
        self.listen()
        bundle = self.install("a")
        self.assertEqual(["a INSTALLED"], self.take())
        self.assertTrue(self.done(bundle.start()))
        self.assertEqual(["a STARTING", "a starts", "a STARTED"], self.take())
        self.assertTrue(self.done(bundle.stop()))
        self.assertEqual(["a STOPPING", "a stops", "a STOPPING_PRECLEAN", "a STOPPED"], self.take())
        self.done(bundle.uninstall())
        self.assertEqual(["a UNINSTALLED"], self.take())

    def test_twice(self) -> None:
        """What is started already, or stopped, is not again."""
        bundle = self.install("a")
        self.assertFalse(self.done(bundle.stop()))
        self.done(bundle.start())
        self.take()
        self.assertFalse(self.done(bundle.start()))
        self.assertEqual([], self.take())

    def test_too_early(self) -> None:
        """Nothing starts before its framework does."""
        framework = TellingFramework()
        self.write("a", "")
        bundle = framework.install_bundle("a", str(self.path))
        self.failed(bundle.start(), TooEarly)
        self.assertEqual(BundleState.RESOLVED, bundle.get_state())

    def test_release(self) -> None:
        """Whatever it registered, used and listened to is taken back when it stops. (iPOPO goes on
        calling its listeners.)"""
        a, b = self.install("a"), self.install("b")
        self.done(a.start())
        self.done(b.start())
        context = a.get_bundle_context()
        reference = context.get_service_reference("b.spec")
        assert reference is not None
        context.get_service(reference)
        context.add_service_listener(lambda event: self.framework.told.append(event))
        context.add_bundle_listener(lambda event: self.framework.told.append(event))
        context.add_framework_stop_listener(lambda: self.framework.told.append("end"))
        self.assertEqual([a], reference.get_using_bundles())
        self.assertEqual([reference], a.get_services_in_use())
        self.assertEqual(1, len(a.get_registered_services()))
        self.done(a.stop())
        self.take()
        self.done(self.framework.stop())
        self.assertEqual([], reference.get_using_bundles())
        self.assertIs(None, self.context.get_service_reference("a.spec"))
        self.assertEqual(["b stops"], self.take())

    def test_gone(self) -> None:
        """One that is not active cannot register, use or listen. (In iPOPO it can, for ever.)"""
        bundle = self.install("a")
        context = bundle.get_bundle_context()
        reference = self.context.register_service("x", object()).reference
        for _ in range(2):
            self.assertRaises(ContextGone, context.register_service, "x", object())
            self.assertRaises(ContextGone, context.get_service, reference)
            self.assertRaises(ContextGone, context.add_service_listener, print)
            self.assertRaises(ContextGone, context.add_bundle_listener, print)
            self.done(bundle.uninstall()) if bundle in self.context.get_bundles() else None

    def test_uninstall(self) -> None:
        """It is imported anew by the next that installs it, under another number."""
        bundle = self.install("a", "import sys\n")
        module = bundle.get_module()
        self.done(bundle.uninstall())
        self.assertNotIn("a", sys.modules)
        self.assertRaises(NoSuchBundle, self.context.get_bundle, 1)
        self.assertIs(None, self.framework.get_bundle_by_name("a"))
        self.assertRaises(Uninstalled, bundle.get_registered_services)
        for deed in (bundle.start, bundle.stop, bundle.update, bundle.uninstall):
            self.failed(deed(), Uninstalled)
        again = self.install("a")
        self.assertEqual(2, again.get_bundle_id())
        self.assertIsNot(module, again.get_module())

    def test_uninstalled_is_told(self) -> None:
        """What it leaves registered is taken back, and listeners are told."""
        bundle = self.install("a")
        self.done(bundle.start())
        self.context.add_service_listener(lambda event: self.framework.told.append(event))
        self.take()
        self.done(bundle.uninstall())
        [stops, event] = self.take()
        self.assertEqual(("a stops", ServiceEvent.UNREGISTERING), (stops, event.kind))

    def test_plain_activator(self) -> None:
        """A ready object named activator will do; so will no activator at all."""
        text = """
            class Plain:
                def start(self, context): context.get_framework().told.append("plain")
            activator = Plain()
            """
        self.done(self.install("a", text).start())
        self.done(self.install("b", "").start())
        self.assertEqual(["plain"], self.take())

    def test_imported_activator(self) -> None:
        """The activator of another bundle, imported from there, is not that of this one."""
        self.install("a")
        self.done(self.install("b", "from a import Activator").start())
        self.assertEqual([], self.take())


class FailureTests(BundleCase):
    """Their activators fail."""

    def test_start(self) -> None:
        """Nothing of it is left, its end is told, and it can be started again. (iPOPO leaves what
        it had registered, and tells nobody.)"""
        bundle = self.install("a", FAILS.format(error="ValueError('no luck')"))
        self.listen()
        self.assertIn("no luck", self.failed(bundle.start(), NotStarted))
        self.assertEqual(["a STARTING", "a STOPPED"], [e for e in self.take() if type(e) is str])
        self.context.register_service("x", object())
        self.assertEqual([], self.take())
        self.assertIs(None, self.context.get_service_reference("left.behind"))
        self.assertEqual(BundleState.RESOLVED, bundle.get_state())
        self.framework.add_property("may.start", True)
        self.assertTrue(self.done(bundle.start()))
        self.assertEqual(1, len(self.context.get_all_service_references("left.behind")))

    def test_reason(self) -> None:
        """The event that ends a failed start says why."""
        events: list[BundleEvent] = []
        self.context.add_bundle_listener(events.append)
        self.failed(self.install("a", FAILS.format(error="ValueError")).start(), NotStarted)
        self.assertEqual("ValueError", type(events[-1].reason).__name__)

    def test_stop(self) -> None:
        """It is stopped all the same, with all that is its own, and the failure is told."""
        bundle = self.install("a", FAILS.format(error="ValueError('no luck')"))
        self.framework.add_property("may.start", True)
        self.done(bundle.start())
        self.assertIn("no luck", self.failed(bundle.stop(), NotStopped))
        self.assertEqual(BundleState.RESOLVED, bundle.get_state())
        self.assertIs(None, self.context.get_service_reference("left.behind"))

    def test_uninstall(self) -> None:
        """Who cannot stop well is uninstalled all the same. (In iPOPO it stays.)"""
        bundle = self.install("a", FAILS.format(error="ValueError('no luck')"))
        self.framework.add_property("may.start", True)
        self.done(bundle.start())
        self.done(bundle.uninstall())
        self.assertEqual([], self.context.get_bundles())
        self.assertEqual(1, len(self.flushLoggedErrors(NotStopped)))

    def test_needs_stop(self) -> None:
        """One that says that the framework has to stop has it stopped."""
        error = "FrameworkException('fatal', needs_stop=True)"
        self.failed(self.install("a", FAILS.format(error=error)).start(), NotStarted)
        self.assertEqual(BundleState.RESOLVED, self.framework.get_state())

    def test_needs_no_stop(self) -> None:
        """One that does not say so fails alone."""
        error = "FrameworkException('not so bad')"
        self.failed(self.install("a", FAILS.format(error=error)).start(), NotStarted)
        self.assertEqual(BundleState.ACTIVE, self.framework.get_state())


class WaitingTests(BundleCase):
    """Activators and listeners that take their time."""

    ASYNC = """
        from pop.components.bundle import BundleActivator

        @BundleActivator
        class Activator:
            async def start(self, context):
                await context.get_framework().waiting
            def stop(self, context):
                return context.get_framework().waiting
        """

    def setUp(self) -> None:
        super().setUp()
        self.waiting: Deferred[None] = Deferred()
        self.framework.__dict__["waiting"] = self.waiting

    def test_waits(self) -> None:
        """A bundle is active when its activator's coroutine has ended, and others go on."""
        a, b = self.install("a", self.ASYNC), self.install("b")
        starting = a.start()
        self.assertEqual(BundleState.STARTING, a.get_state())
        self.done(b.start())
        self.waiting.callback(None)
        self.assertTrue(self.done(starting))
        stopping: Deferred[None] = Deferred()
        self.framework.__dict__["waiting"] = stopping
        stopped = a.stop()
        self.assertNoResult(stopped)
        stopping.callback(None)
        self.assertTrue(self.done(stopped))

    def test_in_turn(self) -> None:
        """What is asked of it meanwhile is done afterwards."""
        bundle = self.install("a", self.ASYNC)
        starting, stopping = bundle.start(), bundle.stop()
        self.assertNoResult(stopping)
        self.waiting.callback(None)
        self.assertTrue(self.done(starting))
        self.framework.__dict__["waiting"] = None
        self.assertTrue(self.done(stopping))

    def test_hangs(self) -> None:
        """One that takes too long has failed, and is named."""
        starting = self.install("a", self.ASYNC).start()
        self.clock.advance(9)
        self.assertNoResult(starting)
        self.clock.advance(2)
        self.assertIn(
            "start of bundle a has not ended within 10 seconds", self.failed(starting, NotStarted)
        )

    def test_listener(self) -> None:
        """A bundle's life waits for those who are told of it, and who are named if they hang."""
        self.context.add_bundle_listener(lambda event: self.waiting)
        starting = self.install("a").start()
        self.clock.advance(100)
        self.done(starting)
        self.assertTrue(self.flushLoggedErrors(CallTimeout))

    def test_consumers(self) -> None:
        """A bundle is stopped when those who had to let go of what it registered have."""
        bundle = self.install("a")
        self.done(bundle.start())

        async def listener(event: Any) -> None:
            await self.waiting

        self.context.add_service_listener(listener)
        stopping = bundle.stop()
        self.assertEqual(BundleState.STOPPING, bundle.get_state())
        self.waiting.callback(None)
        self.done(stopping)
