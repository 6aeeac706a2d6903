"""The process that hosts a Python service, for real."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from pop.interfaces import IProcess
from pop.model import Instance
from pop.program import Launch
from pop.protocols.notify import Notice
from pop.services.echo import threaded_echo, twisted_echo
from pop.settings import validate
from pop.test.processes import Nursery, Witness

OWN = """
import os
from pop.program import PythonType

class Own(PythonType):
    name = "own"

    async def start(self, reactor, settings):
        print("I am", os.getcwd(), "NOTIFY_SOCKET" in os.environ, flush=True)
        reactor.addSystemEventTrigger("before", "shutdown", print, "in order", flush=True)
        reactor.callLater(0, self.later, reactor)
        return {"answer": 42}

    def later(self, reactor):
        if os.path.exists("stop"):
            reactor.stop()

class Failing(PythonType):
    name = "failing"

    async def start(self, reactor, settings):
        raise ValueError("it is just so")

own, failing = Own(), Failing()
"""


class Talk(Protocol):
    """Says something, and fires with what comes back."""

    def __init__(self, words: bytes) -> None:
        self.words = words
        self.heard = b""
        self.done: Deferred[bytes] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport
        self.transport.write(self.words)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if len(self.heard) >= len(self.words):
            self.done.callback(self.heard)
            assert self.transport
            self.transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        self.lost.callback(None)


async def talk(state: Any, words: bytes) -> bytes:
    """What a server answers."""
    from twisted.internet import reactor

    endpoint = TCP4ClientEndpoint(reactor, state["host"], state["port"])
    protocol = await connectProtocol(endpoint, Talk(words))
    heard: bytes = await protocol.done
    await protocol.lost
    return heard


class Tests(TestCase):
    """A nursery for each test."""

    timeout = 30

    def setUp(self) -> None:
        self.nursery = Nursery(self)

    def host(self, kind: Any, **values: Any) -> tuple[IProcess, Witness]:
        """Have a child host a service of a type."""
        settings = validate(kind.name, kind.settings, values)
        return self.nursery.spawn(Launch(kind.program(settings, Instance("web", "m1"))))


class EchoTests(Tests):
    """The types of ours that are hosted."""

    async def check(self, kind: Any) -> None:
        """It serves where it says, ends when it is asked to, and reports no trouble."""
        process, witness = self.host(kind)
        state = (await witness.ready()).state
        assert state
        self.assertEqual("127.0.0.1", state["host"])
        self.assertNotEqual(0, state["port"])
        words = b"hello " * 20_000
        self.assertEqual(words, await talk(state, words))
        process.stop("TERM")
        end = await witness.ended
        self.assertTrue(
            isinstance(end, ProcessDone)
            or (isinstance(end, ProcessTerminated) and end.signal == 15),
            end,
        )
        self.assertNotIn("Traceback", self.nursery.log().read_text())

    async def test_twisted(self) -> None:
        """The echo on Twisted is ready with its address, echoes, and ends on SIGTERM."""
        await self.check(twisted_echo)

    async def test_threaded(self) -> None:
        """So does the one with threads."""
        await self.check(threaded_echo)

    async def test_settings(self) -> None:
        """The settings arrive: it listens where it was told."""
        process, witness = self.host(twisted_echo, host="127.0.0.2")
        self.assertEqual("127.0.0.2", ((await witness.ready()).state or {})["host"])
        process.kill()
        await witness.ended

    async def test_port_in_use(self) -> None:
        """What cannot listen says why, in a line of its log, and fails."""
        _, first = self.host(twisted_echo)
        port = ((await first.ready()).state or {})["port"]
        for kind in (twisted_echo, threaded_echo):
            settings = validate(kind.name, kind.settings, {"port": port})
            launch = Launch(kind.program(settings, Instance("other", "m1")))
            _, second = self.nursery.spawn(launch, kind.name)
            end = await second.ended
            assert isinstance(end, ProcessTerminated)
            self.assertEqual(1, end.exitCode)
            self.assertIn("Address already in use", self.nursery.log(kind.name).read_text())


class OwnTests(Tests):
    """A type of somebody else's."""

    def setUp(self) -> None:
        super().setUp()
        base = Path(self.mktemp()).absolute()
        (base / "pop" / "services").mkdir(parents=True)
        (base / "pop" / "services" / "own.py").write_text(OWN)
        self.path = str(base)

    def own(self, name: str = "own", **values: Any) -> tuple[IProcess, Witness]:
        """Have it hosted, by an agent that finds it on its own path."""
        hosted = twisted_echo.program(
            validate("x", twisted_echo.settings, {}), Instance("web", "m1")
        )
        stdin = json.dumps({"settings": values, "path": [*sys.path, self.path]}).encode()
        program = replace(hosted, argv=(*hosted.argv[:-1], name), stdin=stdin)
        return self.nursery.spawn(Launch(program))

    async def test_hosted(self) -> None:
        """It works in the service's directory, without the agent's socket for its own children."""
        process, witness = self.own()
        self.assertEqual({"answer": 42}, (await witness.ready()).state)
        own = self.nursery.path / "services" / "web"
        self.assertIn(f"I am {own} False", self.nursery.log().read_text())
        process.stop("TERM")
        await witness.ended
        self.assertIn("in order", self.nursery.log().read_text())

    async def test_ends_with_its_reactor(self) -> None:
        """The process ends when its reactor stops, which is no failure."""
        own = self.nursery.path / "services" / "web"
        own.mkdir()
        (own / "stop").touch()
        _, witness = self.own()
        self.assertIsInstance(await witness.ended, ProcessDone)

    async def test_fails(self) -> None:
        """One that fails to start says why, in its log too, with status 1, and is never ready."""
        _, witness = self.own("failing")
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        why = Notice(status="ValueError: it is just so")
        self.assertEqual((1, [why]), (end.exitCode, witness.notices))
        self.assertIn("it is just so", self.nursery.log().read_text())

    async def test_unknown(self) -> None:
        """A type that the child does not find is a sentence, in its log too, and no traceback."""
        _, witness = self.own("no-such-type")
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        self.assertEqual(1, end.exitCode)
        text = self.nursery.log().read_text()
        sentence = 'There is no service type "no-such-type" here'
        self.assertIn(sentence, text)
        self.assertTrue((witness.notices[0].status or "").startswith(sentence), witness.notices)
        self.assertNotIn("Traceback", text)

    async def test_bad_settings(self) -> None:
        """Settings that the type does not take are a sentence as well."""
        _, witness = self.own(grace_period="x")
        await witness.ended
        text = self.nursery.log().read_text()
        self.assertIn('The setting "grace_period" of type "own" cannot be', text)
        self.assertNotIn("Traceback", text)

    async def test_shadows(self) -> None:
        """Files in the service's directory are not taken for Python's own modules."""
        own = self.nursery.path / "services" / "web"
        own.mkdir()
        (own / "json.py").write_text("raise SystemExit('shadowed')")
        _, witness = self.own()
        await witness.ready()
