"""Calls in threads."""

import os
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SynchronousTestCase, TestCase

from pop.components.errors import NotStarted, NotStopped
from pop.components.framework import Framework
from pop.components.threadpool import (
    PROPERTY_QUEUE,
    PROPERTY_THREADS,
    SERVICE_THREAD_POOL,
    NotBlocking,
    PoolEnded,
    PoolFull,
    ThreadPool,
)

HANGS = """
from threading import Event
from twisted.internet import reactor
from pop.components import create_framework

framework = create_framework(["pop.components.threadpool"], clock=reactor)
framework.patience.seconds = 0.1
framework.start()
context = framework.get_bundle_context()
pool = context.get_service(context.get_service_reference("pop.components.threadpool"))
pool.enqueue(Event().wait)
reactor.addSystemEventTrigger("before", "shutdown", framework.stop)
reactor.callLater(0.1, reactor.stop)
reactor.run()
"""
NAME = "pop.components.threadpool"
VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="nothing")


class Gate:
    """A call that blocks until it is let through.

    @ivar calls: how often it was made.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._open = threading.Event()
        self._entered = threading.Event()

    def __call__(self, result: Any = None) -> Any:
        """In a thread."""
        self.calls += 1
        self._entered.set()
        self._open.wait(20)
        return result

    def entered(self) -> None:
        """Wait, in another thread, until it was called."""
        self._entered.wait(20)

    def open(self) -> None:
        """Let all through, from now on."""
        self._open.set()


def threads() -> list[str]:
    """The pool's threads that there are."""
    return [each.name for each in threading.enumerate() if "components" in each.name]


class PoolCase(TestCase):
    """Has a reactor, and a gate that is open in the end."""

    timeout = 30

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.gate = Gate()
        self.addCleanup(lambda: self.assertEqual([], threads()))

    def pool(self, most: int = 2, queue: int = 0, start: bool = True) -> ThreadPool:
        """One, which ends with the test."""
        pool = ThreadPool(self.reactor, most, queue)
        self.addCleanup(pool.stop)
        self.addCleanup(self.gate.open)
        if start:
            pool.start()
        return pool

    async def failed(self, deferred: Deferred[Any], kind: type[Exception]) -> str:
        """What it failed with."""
        with self.assertRaises(kind) as caught:
            await deferred
        return str(caught.exception)

    async def begun(self) -> None:
        """Until a thread waits at the gate."""
        watcher = ThreadPool(self.reactor, 1)
        watcher.start()
        await watcher.enqueue(self.gate.entered)
        await watcher.stop()


class CallTests(PoolCase):
    """Single calls."""

    async def test_result(self) -> None:
        """What a call returns comes in the reactor's thread; it was made in another."""
        found = await self.pool().enqueue(lambda a, b: (a, b, threading.current_thread()), 1, b=2)
        self.assertEqual((1, 2), found[:2])
        self.assertIsNot(threading.current_thread(), found[2])

    async def test_failure(self) -> None:
        """What a call raises is what comes of it, and harms neither its thread nor the next."""
        pool = self.pool(most=1)
        self.assertEqual("a reason", await self.failed(pool.enqueue(fails, ValueError), ValueError))
        await self.failed(pool.enqueue(fails, SystemExit), SystemExit)  # type: ignore[arg-type]
        self.assertEqual(5, await pool.enqueue(int, "5"))

    async def test_before_start(self) -> None:
        """What is asked for before the pool starts is done once it does."""
        pool = self.pool(start=False)
        found = pool.enqueue(int, "5")
        self.assertEqual([], threads())
        pool.start()
        self.assertEqual(5, await found)

    async def test_never_started(self) -> None:
        """What is asked for of a pool that ends before it starts is cancelled."""
        pool = self.pool(start=False)
        found = pool.enqueue(self.gate)
        stopped = pool.stop()
        await self.failed(found, CancelledError)
        await stopped
        self.assertEqual(0, self.gate.calls)

    async def test_stopped_meanwhile(self) -> None:
        """Whoever gets an answer may stop the pool, or ask for more."""
        pool = self.pool()
        await pool.enqueue(int)
        found = pool.enqueue(int).addCallback(lambda _: pool.enqueue(int, "5"))
        self.assertEqual(5, await found)
        await pool.enqueue(int).addCallback(lambda _: pool.stop())
        self.assertEqual([], threads())

    async def test_asynchronous(self) -> None:
        """What does not block, but answers later, is refused: it belongs where Deferreds fire."""
        pool = self.pool()
        for method in (self.begun, Deferred):
            await self.failed(pool.enqueue(method), NotBlocking)

    async def test_context(self) -> None:
        """A call sees the variables of who asked for it, as they were; it changes its own alone."""
        pool = self.pool()
        VARIABLE.set("before")

        def seen() -> str:
            value = VARIABLE.get()
            VARIABLE.set("theirs")
            return value

        found = [pool.enqueue(seen)]
        VARIABLE.set("after")
        found.append(pool.enqueue(seen))
        self.assertEqual(["before", "after"], await gatherResults(found))
        self.assertEqual("after", VARIABLE.get())

    async def test_cancelled(self) -> None:
        """A call that is cancelled before it has begun is never made; one that has, goes on."""
        pool = self.pool(most=1)
        running, waiting = pool.enqueue(self.gate), pool.enqueue(self.gate)
        await self.begun()
        for each in (running, waiting):
            each.cancel()
            await self.failed(each, CancelledError)
        self.gate.open()
        await pool.join()
        self.assertEqual(1, self.gate.calls)


def fails(kind: Callable[[str], BaseException]) -> None:
    """Raise something."""
    raise kind("a reason")


class BoundsTests(PoolCase):
    """Many calls."""

    async def test_most(self) -> None:
        """There are never more threads than there may be, and no more than are needed."""
        pool = self.pool(most=2)
        await pool.enqueue(int)
        self.assertEqual(1, len(threads()))
        found = gatherResults([pool.enqueue(self.gate, number) for number in range(5)])
        await self.begun()
        self.assertLessEqual(len(threads()), 2)
        self.gate.open()
        self.assertEqual([0, 1, 2, 3, 4], await found)

    async def test_full(self) -> None:
        """Where only so many may wait, one more is refused; until one has ended."""
        pool = self.pool(most=1, queue=1)
        found = gatherResults([pool.enqueue(self.gate), pool.enqueue(self.gate)])
        error = self.assertRaises(PoolFull, pool.enqueue, int)
        self.assertIn("1 wait already for its 1 threads", str(error))
        self.gate.open()
        await found
        self.assertEqual(0, await pool.enqueue(int))

    async def test_idle(self) -> None:
        """Threads that were not needed for a minute end; nothing ticks without any."""
        clock = Clock()
        pool = ThreadPool(self.reactor, 3, clock=clock)
        self.addCleanup(pool.stop)
        pool.start()
        found = gatherResults([pool.enqueue(self.gate) for _ in range(3)])
        self.assertEqual(3, self.after_a_minute(clock, 3))
        self.gate.open()
        await found
        self.assertEqual(3, self.after_a_minute(clock, 3))
        await pool.enqueue(int)
        self.assertEqual(1, self.after_a_minute(clock, 1))
        self.assertEqual(0, self.after_a_minute(clock, 0))
        self.assertEqual([], clock.getDelayedCalls())
        self.assertEqual(5, await pool.enqueue(int, "5"))
        await pool.stop()
        self.assertEqual([], clock.getDelayedCalls())

    def after_a_minute(self, clock: Clock, kept: int) -> int:
        """How many threads there are then, once those that were told to have ended."""
        clock.advance(60)
        alive = [each for each in threading.enumerate() if "components" in each.name]
        while len(threads()) > kept and alive:
            alive.pop().join(1)
        return len(threads())

    async def test_join(self) -> None:
        """All that have joined are told when all calls have ended; at once, if there is none."""
        pool = self.pool()
        await pool.join()
        pool.enqueue(self.gate)
        joined = [pool.join(), pool.join()]
        self.assertFalse(any(each.called for each in joined))
        self.gate.open()
        await gatherResults(joined)

    async def test_clear(self) -> None:
        """Calls that have not begun can be cleared away; those that have are waited for."""
        pool = self.pool(most=1)
        running, waiting = pool.enqueue(self.gate, "result"), pool.enqueue(self.gate)
        await self.begun()
        cleared = pool.clear()
        await self.failed(waiting, CancelledError)
        self.assertFalse(cleared.called)
        self.gate.open()
        await cleared
        self.assertEqual(("result", 1), (await running, self.gate.calls))

    async def test_stop(self) -> None:
        """After it was stopped, there are no threads, and no more calls."""
        pool = self.pool()
        found = pool.enqueue(self.gate, "result")
        await self.begun()
        stopped = pool.stop()
        self.assertRaises(PoolEnded, pool.enqueue, int)
        self.gate.open()
        await stopped
        self.assertEqual(("result", []), (await found, threads()))
        await pool.stop()


class BundleTests(PoolCase):
    """The pool of a framework."""

    async def begin(
        self, properties: dict[str, str] | None = None, call_timeout: float = 30.0
    ) -> tuple[Any, ThreadPool]:
        """A framework's bundle, and its pool."""
        framework = Framework(
            properties, clock=self.reactor, call_timeout=call_timeout, environment={}
        )
        await framework.start()
        self.addCleanup(framework.stop)
        self.addCleanup(self.gate.open)
        bundle = framework.install_bundle(NAME)
        await bundle.start()
        context = framework.get_bundle_context()
        reference = context.get_service_reference(SERVICE_THREAD_POOL)
        assert reference is not None
        return bundle, context.get_service(reference)

    async def test_bundle(self) -> None:
        """It is there while the bundle is active, and its threads go with it."""
        bundle, pool = await self.begin()
        self.assertEqual(5, await pool.enqueue(int, "5"))
        self.assertNotEqual([], threads())
        await bundle.stop()
        self.assertEqual([], threads())

    async def test_properties(self) -> None:
        """The framework's properties say how large it is; what is no number does not."""
        for threads_, queue, most in (("1", "2", 3), ("x", "1", 11)):
            given = {PROPERTY_THREADS: threads_, PROPERTY_QUEUE: queue}
            _, pool = await self.begin(given)
            found = gatherResults([pool.enqueue(self.gate) for _ in range(most)])
            self.assertRaises(PoolFull, pool.enqueue, int)
            self.gate.open()
            await found
            self.gate = Gate()

    async def test_hanging(self) -> None:
        """A call that hangs keeps nobody waiting for longer than a callback may take; once it ends,
        so does its thread."""
        bundle, pool = await self.begin(call_timeout=0.1)
        found = pool.enqueue(self.gate, "result")
        await self.begun()
        error = await self.failed(bundle.stop(), NotStopped)
        self.assertIn("has not ended within 0.1 seconds", error)
        self.gate.open()
        self.assertEqual("result", await found)
        self.assertEqual([], threads())


class ProcessTests(TestCase):
    """A process with a pool."""

    timeout = 30

    async def test_ends(self) -> None:
        """A call that hangs for ever does not keep a process from ending."""
        from twisted.internet import reactor

        found = await getProcessOutputAndValue(
            sys.executable, ["-c", HANGS], env=os.environ, reactor=reactor
        )
        self.assertEqual((b"", b"", 0), found)


class ReactorTests(SynchronousTestCase):
    """Without a reactor."""

    def test_refused(self) -> None:
        """Where there is no reactor to come back to, there is no pool; and why is said."""
        framework = Framework(clock=Clock(), environment={})
        self.successResultOf(framework.start())
        started = framework.install_bundle(NAME).start()
        reason = str(self.failureResultOf(started, NotStarted).value)
        self.assertIn("make the framework with clock=reactor", reason)
        self.successResultOf(framework.stop())
