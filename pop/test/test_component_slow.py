"""Bundles whose components take their time to end."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed

from pop.components import use_ipopo
from pop.components.bundle import BundleState
from pop.components.errors import CallTimeout, NotUpdated
from pop.components.shell.session import Session
from pop.test.bundles import BundleCase

SLOW = """
from pop.components import ComponentFactory, Instantiate, Invalidate, Provides, Requires

VERSION = 1

@ComponentFactory("lower")
@Provides("lower")
@Instantiate("lower")
class Lower:
    @Invalidate
    def invalidate(self, context):
        return context.get_framework().ends("lower")

@ComponentFactory("upper")
@Requires("it", "lower")
@Instantiate("upper")
class Upper:
    @Invalidate
    def invalidate(self, context):
        return context.get_framework().ends("upper")
"""


class SlowTests(BundleCase):
    """A bundle with a component that uses another's; both end when the test says so."""

    def setUp(self) -> None:
        super().setUp()
        self.ending: list[Deferred[None]] = []
        self.framework.__dict__["ends"] = self.ends
        self.ipopo = self.context.install_bundle("pop.components.ipopo")
        self.done(self.ipopo.start())
        self.bundle = self.install("slow", SLOW)
        self.done(self.bundle.start())

    def ends(self, name: str) -> Deferred[None]:
        """A component is being invalidated."""
        self.framework.told.append(f"{name} ends")
        ending: Deferred[None] = Deferred()
        self.ending.append(ending)
        return ending

    def end(self) -> None:
        """The component that is being invalidated has been."""
        self.ending.pop(0).callback(None)

    def version(self) -> Any:
        """Which code runs."""
        return self.bundle.get_module().__dict__["VERSION"]

    def components(self) -> list[str]:
        """Those that there are, in alphabetical order, with their states."""
        with use_ipopo(self.context) as ipopo:
            instances = ipopo.get_instances()
        return [f"{name} {state.name}" for name, _, state in sorted(instances)]

    def test_one_after_the_other(self) -> None:
        """Each callback may take its time; however long they take together, a bundle has not
        stopped before all have ended."""
        stopping = self.bundle.stop()
        for name in ("upper", "lower"):
            self.assertEqual([f"{name} ends"], self.take())
            self.clock.advance(9)
            self.assertNoResult(stopping)
            self.end()
        self.done(stopping)
        self.assertEqual([], self.components())

    def test_all_of_them(self) -> None:
        """So it is when components are made no more, in any bundle."""
        stopping = self.ipopo.stop()
        for _ in range(2):
            self.clock.advance(9)
            self.assertNoResult(stopping)
            self.end()
        self.done(stopping)

    def test_hang(self) -> None:
        """Of components that hang, each is named, and nobody else; then their bundle stops."""
        stopping = self.bundle.stop()
        self.clock.pump([9, 2, 9])
        self.assertNoResult(stopping)
        self.clock.advance(2)
        self.done(stopping)
        named = [str(failure.value).split()[0] for failure in self.flushLoggedErrors(CallTimeout)]
        self.assertEqual(["Upper.invalidate", "Lower.invalidate"], named)

    def test_chained(self) -> None:
        """What has fired and now waits for something else is waited for no longer than others."""
        self.framework.__dict__["ends"] = lambda name: succeed(None).addCallback(
            lambda ignored: self.ends(name)
        )
        stopping = self.bundle.stop()
        self.clock.pump([11, 11])
        self.done(stopping)
        self.assertEqual(2, len(self.flushLoggedErrors(CallTimeout)))

    def test_given_up(self) -> None:
        """Whoever waits for an update no more, as a person who is tired of it, does not keep it
        from being finished."""
        self.write("slow", SLOW.replace("VERSION = 1", "VERSION = 2"))
        update = self.bundle.update()
        update.cancel()
        self.failureResultOf(update, CancelledError)
        self.assertEqual((1, BundleState.STOPPING), (self.version(), self.bundle.get_state()))
        self.end()
        self.end()
        self.assertEqual((2, BundleState.ACTIVE), (self.version(), self.bundle.get_state()))
        self.assertEqual(["lower VALID", "upper VALID"], self.components())

    def test_given_up_and_failed(self) -> None:
        """How it ends is in the log, if that is not well."""
        self.write("slow", SLOW + FAILING)
        update = self.bundle.update()
        update.cancel()
        self.failureResultOf(update, CancelledError)
        self.end()
        self.end()
        [failure] = self.flushLoggedErrors(NotUpdated)
        self.assertIn("no luck", str(failure.value))
        self.assertEqual(["lower VALID", "upper VALID"], self.components())

    def test_given_up_and_needed(self) -> None:
        """If the framework cannot go on with how it ends, it stops, even if nobody waits."""
        stopping = self.bundle.stop()
        self.end()
        self.end()
        self.done(stopping)
        starting = self.install("needed", NEEDED).start()
        starting.cancel()
        self.failureResultOf(starting, CancelledError)
        self.end()
        self.assertEqual(BundleState.RESOLVED, self.framework.get_state())
        self.flushLoggedErrors()

    def test_not_begun(self) -> None:
        """What has not begun when nobody waits for it any more is not done at all."""
        stopping, starting = self.bundle.stop(), self.bundle.start()
        starting.cancel()
        self.failureResultOf(starting, CancelledError)
        self.end()
        self.end()
        self.done(stopping)
        self.assertEqual(BundleState.RESOLVED, self.bundle.get_state())

    def test_shell(self) -> None:
        """Whoever gives up waiting at the shell is told that it goes on, if it has begun: it, and
        not only what came before."""
        self.done(self.context.install_bundle("pop.components.shell.core").start())
        self.done(self.context.install_bundle("pop.components.shell.bundles").start())
        reference = self.context.get_service_reference("pelix.shell.core")
        assert reference is not None
        shell = self.context.get_service(reference)
        said: list[str] = []
        first = Deferred.fromCoroutine(shell.execute("stop slow", Session(said.append)))
        said.clear()
        first.cancel()
        self.assertFalse(self.done(first))
        self.assertEqual("What has begun goes on: slow is STOPPING.\n", "".join(said))
        said.clear()
        second = Deferred.fromCoroutine(shell.execute("start slow", Session(said.append)))
        second.cancel()
        self.assertFalse(self.done(second))
        self.assertEqual("Cancelled.\n", said[-1])
        self.end()
        self.end()
        self.assertEqual(BundleState.RESOLVED, self.bundle.get_state())


FAILING = """
from pop.components import BundleActivator

@BundleActivator
class Activator:
    def start(self, context):
        raise ValueError("no luck")
"""

NEEDED = """
from pop.components import BundleActivator, FrameworkException

@BundleActivator
class Activator:
    async def start(self, context):
        await context.get_framework().ends("needed")
        raise FrameworkException("no luck", needs_stop=True)
"""
