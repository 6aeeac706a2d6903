"""The end that calls, and what it is told by the other, whatever that is."""

import json
import sys
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from pop.components.remote.asking import Asking
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.errors import ConnectionBroke, NotRead, TooBusy
from pop.components.remote.remoteerror import RemoteError, remote_error
from pop.components.remote.wire import UNREAD
from pop.test.remotes import endpoint


class AskingTests(SynchronousTestCase):
    """One connection."""

    address = "unix:/there"

    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[Any] = []
        self.calls: list[Any] = []
        self.wire = Asking(self, self.clock, {"pop": 1})
        self.transport: Any = StringTransport()
        self.wire.makeConnection(self.transport)

    def connected(self, wire: Asking) -> None:
        """Note it."""
        self.told.append("connected")

    def refused(self, why: str) -> None:
        """Note it."""
        self.told.append(("refused", why))

    def found(self, endpoint: Endpoint) -> None:
        """Note it."""
        self.told.append(("found", endpoint.uid))

    def lost(self, uid: str) -> None:
        """Note it."""
        self.told.append(("lost", uid))

    def disconnected(self, why: str) -> None:
        """Note it."""
        self.told.append("disconnected")

    def say(self, *message: Any) -> None:
        """What the other end says."""
        data = json.dumps(message).encode()
        self.wire.dataReceived(len(data).to_bytes(4, "big") + data)

    def take(self) -> list[Any]:
        """What was told since the last time."""
        told, self.told = self.told, []
        return told

    def call(self, *arguments: Any) -> Any:
        """Call something there."""
        self.calls.append(self.wire.call(endpoint("1"), "say", arguments, {}, 5))
        return self.calls[-1]

    def lose(self) -> None:
        """The connection is over, if it is not yet."""
        if "disconnected" not in self.told:
            self.wire.connectionLost()

    def tearDown(self) -> None:
        self.lose()
        self.assertEqual([], self.clock.getDelayedCalls())
        for call in self.calls:
            call.addErrback(lambda failure: failure.trap(ConnectionBroke))

    def test_told(self) -> None:
        """What the other end says is told."""
        self.say("hello", {"pop": 1, "framework": "far"})
        self.say("added", endpoint("1").to_json())
        self.say("updated", endpoint("1").to_json())
        self.say("removed", "1")
        self.assertEqual(["connected", ("found", "1"), ("found", "1"), ("lost", "1")], self.take())

    def test_not_understood(self) -> None:
        """An endpoint that cannot be understood harms no other, nor does anything unknown."""
        self.say("hello", {})
        self.say("added", {"uid": "2"})
        self.say("added", None)
        self.say("waves", 1, 2, 3)
        self.say("added", endpoint("1").to_json())
        self.assertEqual(["connected", ("found", "1")], self.take())

    def test_refused(self) -> None:
        """Why it is sent away is told."""
        self.say("refused", "not you")
        self.assertEqual([("refused", "not you")], self.take())

    def test_nonsense(self) -> None:
        """What makes no sense ends the connection, and all calls with it."""
        for nonsense in (
            ["result"],
            ["error", 1],
            ["hello"],
            ["hello", {}],
            [],
            "hello",
            ["error", 1, 2, 3],
        ):
            self.setUp()
            self.say("hello", {})
            call = self.call()
            self.say(*nonsense) if isinstance(nonsense, list) else self.say(1, nonsense)
            self.assertTrue(self.transport.disconnected, nonsense)
            self.lose()
            self.assertIn("unix:/there", str(self.failureResultOf(call, Exception).value))

    def test_late(self) -> None:
        """An answer that nobody waits for any more is none."""
        self.say("hello", {})
        call = self.call()
        self.clock.advance(6)
        self.failureResultOf(call)
        self.say("result", 1, "late")
        self.say("error", 7, "builtins.ValueError", "late")
        self.assertFalse(self.transport.disconnected)

    def test_unread(self) -> None:
        """While too much waits to be read at the other end, no more calls are made, until it has
        been read; those that were made are answered meanwhile."""
        self.say("hello", {})
        first = self.call()
        self.transport.producer.pauseProducing()
        size = 0
        while size < UNREAD:
            self.call("x" * 4_000_000)
            size += 4_000_000
        error = self.failureResultOf(self.call(), NotRead).value
        self.assertIn("say of the endpoint name-1 has not been called", str(error))
        self.say("result", 1, "answer")
        self.assertEqual("answer", self.successResultOf(first))
        self.transport.producer.resumeProducing()
        self.assertNoResult(self.call())

    def test_most(self) -> None:
        """So many calls may wait for their answers; one more fails at once, until one is over."""
        self.wire.most = 2
        self.say("hello", {})
        calls = [self.call(), self.call()]
        self.failureResultOf(self.call(), TooBusy)
        calls[0].cancel()
        self.failureResultOf(calls[0], CancelledError)
        self.assertNoResult(self.call())

    def test_not_made(self) -> None:
        """A kind of error that cannot be made from its words is a plain one."""

        class Strict(Exception):
            def __new__(cls, *, code: int) -> "Strict":
                return super().__new__(cls)

        name = "pop.test.not_there"
        sys.modules[name] = None  # type: ignore[assignment]  # as it is for what may not be imported
        self.addCleanup(sys.modules.pop, name)
        self.addCleanup(delattr, sys.modules[__name__], "Strict")
        vars(sys.modules[__name__])["Strict"] = Strict
        for kind in ("builtins.ExceptionGroup", f"{__name__}.Strict", f"{name}.Error"):
            error = remote_error(kind, "words")
            self.assertEqual((RemoteError, kind, "words"), (type(error), error.kind, str(error)))

    def test_nothing_done(self) -> None:
        """Whatever kind of error it names, no module is imported for it and nothing is called."""
        self.say("hello", {})
        for kind in (
            "antigravity.Error",
            "builtins.SystemExit",
            "builtins.print",
            "builtins.bool",
            "os.system",
            "",
            ".",
            "twisted.internet.task.Clock",
        ):
            call = self.call()
            self.say("error", self.wire._last, kind, "words")
            error = self.failureResultOf(call, RemoteError).value
            self.assertEqual((RemoteError, "words"), (type(error), str(error)))

    def test_gone(self) -> None:
        """When the connection is over, nothing is answered any more."""
        self.say("hello", {})
        call = self.call()
        self.lose()
        self.failureResultOf(call, ConnectionBroke)
        self.assertEqual(["connected", "disconnected"], self.told)
