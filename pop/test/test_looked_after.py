"""Real processes whose health real checks decide."""

import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from pop.checks import Checker
from pop.events import Event
from pop.files import Record
from pop.finished import Finished
from pop.instance import Instance
from pop.instances import Instances
from pop.life import Life, Phase
from pop.plan import Held
from pop.policy import Checks
from pop.probes import Probes
from pop.program import Launch, Program
from pop.test.errands import Errands
from pop.test.processes import Nursery, python
from pop.testing import FakeFile
from txzookeeper.dialer import plain_endpoint
from txzookeeper.testing.process import free_ports

SERVER = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        well = not os.path.exists("ill")
        self.send_response(200 if well else 503)
        self.end_headers()
        self.wfile.write(b"well" if well else b"ill")
HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
OFTEN = Checks(interval=0.05, timeout=10.0, failures=2)


class LookedAfterTests(TestCase):
    """The life of one instance."""

    timeout = 30

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.nursery = Nursery(self)
        errands = Errands(self, self.nursery)
        probes = Probes(reactor, plain_endpoint(reactor), errands.commands.run)

        def watch(slot: str, launch: Launch, told: Callable[[Event], None]) -> Checker:
            probe = partial(probes.probe, slot, launch)
            return Checker(reactor, probe, launch.checks, told, random.Random(0).random)

        self.instances = Instances(
            self.nursery.spawner,
            watch,
            reactor,
            random.Random(0),
            Finished(Record("finished", FakeFile(), {})),
            self.changed,
        )
        self.addCleanup(lambda: self.instances.drop_all("the test is over"))
        self.waiting: list[tuple[Callable[[Life], bool], Deferred[Life]]] = []
        self.port = free_ports(1)[0]
        self.health = f"http://127.0.0.1:{self.port}/"

    def changed(self, instance: Instance) -> None:
        """Tell those who wait for it."""
        for item in [item for item in self.waiting if item[0](instance.life)]:
            self.waiting.remove(item)
            item[1].callback(instance.life)

    def until(self, true: Callable[[Life], bool]) -> Deferred[Life]:
        """Fires when the life of the instance is so."""
        found: Deferred[Life] = Deferred()
        self.waiting.append((true, found))
        return found

    def phase(self, phase: Phase) -> Deferred[Life]:
        """Fires when it is in that phase."""
        return self.until(lambda life: life.phase is phase)

    async def serve(self, checks: Checks) -> Life:
        """Start a server, and wait until it is ready."""
        argv = (sys.executable, "-I", "-S", "-c", SERVER, str(self.port))
        ready = self.phase(Phase.READY)
        launch = Launch(Program(argv), checks=checks, grace_period=0.1)
        self.instances.start("web", launch, "deployed")
        return await ready

    async def test_ready(self) -> None:
        """It is ready when it answers, not ready while it says that it is ill, and ready again."""
        await self.serve(replace(OFTEN, readiness=self.health))
        lost = self.phase(Phase.NOT_READY)
        ill = self.nursery.path / "services" / "web" / "ill"
        ill.touch()
        said = (await lost).reason
        self.assertEqual(
            f"its readiness check fails: {self.health} answered 503 Service Unavailable: ill", said
        )
        again = self.phase(Phase.READY)
        ill.unlink()
        self.assertEqual(0, (await again).restarts)

    async def test_hangs(self) -> None:
        """A process that stands still is killed, and another takes its place."""
        checks = replace(OFTEN, readiness=self.health, liveness=self.health, timeout=1.0)
        first = await self.serve(checks)
        second = self.until(lambda life: life.phase is Phase.READY and life.restarts == 1)
        assert first.pid
        os.kill(first.pid, signal.SIGSTOP)
        life = await second
        self.assertNotEqual(first.pid, life.pid)
        self.assertIn("did not answer within 1 s", life.why)

    async def test_command(self) -> None:
        """A command may look into the directory of the instance."""
        await self.serve(replace(OFTEN, readiness="command:test ! -e ill"))
        lost = self.phase(Phase.NOT_READY)
        (self.nursery.path / "services" / "web" / "ill").touch()
        self.assertIn("command:test ! -e ill exited with status 1", (await lost).reason)

    async def test_stopped_meanwhile(self) -> None:
        """What is stopped while it is checked ends all the same, and the check with it."""
        started = self.until(lambda life: life.pid is not None)
        checks = Checks(readiness="command:sleep 600", interval=0.05, timeout=600)
        self.instances.start("web", Launch(Program(("sleep", "600")), checks=checks), "deployed")
        await started
        stopped = self.phase(Phase.STOPPED)
        self.instances.hold("web", Held("held"))
        await stopped

    async def test_watchdog(self) -> None:
        """What says nothing any more is started again."""
        launch = python("notify('READY=1'); notify('WATCHDOG=1'); signal.pause()")
        second = self.until(lambda life: life.phase is Phase.READY and life.restarts == 1)
        self.instances.start("web", replace(launch, checks=Checks(watchdog=0.3)), "deployed")
        self.assertEqual("it has not said WATCHDOG=1 for 0.3 s", (await second).why)
