"""New code of bundles beside the old."""

import sys

from pop.components.bundle import BundleState
from pop.components.errors import NotStopped, NotUpdated
from pop.test.bundles import FAILS, BundleCase


class UpdateTests(BundleCase):
    """New code beside the old."""

    def test_new(self) -> None:
        """The new code is loaded into a module of its own, then the old stops and the new starts.
        (iPOPO empties the old module, and loads into that.)"""
        bundle = self.install("a")
        self.done(bundle.start())
        self.listen()
        self.take()
        text = self.write("a", "").with_suffix(".py")
        text.write_text("from pop.test.bundles import ACTIVATOR\nNAME = 'new'\n")
        self.done(bundle.update())
        self.assertEqual(
            [
                *("a UPDATE_BEGIN", "a STOPPING", "a stops", "a STOPPING_PRECLEAN", "a STOPPED"),
                *("a STARTING", "a STARTED", "a UPDATED"),
            ],
            self.take(),
        )
        self.assertEqual("new", bundle.get_module().__dict__["NAME"])
        self.assertIs(bundle.get_module(), sys.modules["a"])

    def test_same_second(self) -> None:
        """An edit is seen however soon it follows, and whatever compiled code lies there."""
        bundle = self.install("a", "X = 1")
        for number in range(2, 6):
            self.write("a", f"X = {number}")
            self.done(bundle.update())
            self.assertEqual(number, bundle.get_module().__dict__["X"])

    def test_broken(self) -> None:
        """If the new code cannot be imported, for whatever reason, the old never stops, and whoever
        asked is told why. (iPOPO stops it first; then it says that all is well, or leaves an empty
        module.)"""
        bundle = self.install("a")
        self.done(bundle.start())
        module = bundle.get_module()
        self.listen()
        for text in ("1 +", "undefined", "import sys; sys.exit()", "raise KeyError('x')"):
            self.take()
            self.write("a", text)
            self.failed(bundle.update(), NotUpdated)
            self.assertEqual(["a UPDATE_BEGIN", "a UPDATE_FAILED"], self.take())
            self.assertEqual(BundleState.ACTIVE, bundle.get_state())
            self.assertIs(module, sys.modules["a"])
            self.assertEqual(module, bundle.get_module())

    def test_does_not_start(self) -> None:
        """If the new code cannot be started, the old runs again."""
        bundle = self.install("a")
        self.done(bundle.start())
        self.write("a", FAILS.format(error="ValueError('no luck')"))
        self.listen()
        self.assertIn("no luck", self.failed(bundle.update(), NotUpdated))
        self.assertEqual("a UPDATE_FAILED", self.take()[-1])
        self.assertEqual(BundleState.ACTIVE, bundle.get_state())
        self.assertEqual("a", sys.modules["a"].__dict__["NAME"])
        self.assertTrue(self.context.get_service_reference("a.spec"))
        self.assertIs(None, self.context.get_service_reference("left.behind"))

    def test_does_not_stop(self) -> None:
        """If the old code cannot be stopped well, that is logged, and the new runs all the same."""
        self.framework.add_property("may.start", True)
        bundle = self.install("a", FAILS.format(error="ValueError('no luck')"))
        self.done(bundle.start())
        self.write("a", "NEW = True")
        self.done(bundle.update())
        self.assertEqual(BundleState.ACTIVE, bundle.get_state())
        self.assertTrue(bundle.get_module().__dict__["NEW"])
        self.assertEqual(1, len(self.flushLoggedErrors(NotStopped)))

    def test_stopped(self) -> None:
        """One that is not active is not started by an update."""
        bundle = self.install("a")
        self.done(bundle.update())
        self.assertEqual(BundleState.RESOLVED, bundle.get_state())

    def test_in_package(self) -> None:
        """A package has the new code as its attribute, too."""
        self.write("p.__init__", "")
        bundle = self.install("p.a", "X = 1")
        self.write("p.a", "X = 2")
        self.done(bundle.update())
        self.assertEqual(2, sys.modules["p"].__dict__["a"].X)
