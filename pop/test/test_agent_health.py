"""Health checks in a whole cluster: what others see of them."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.test.worlds import World

READY = "http://127.0.0.1:80/"
LIVE = "tcp:80"
SETTINGS = {
    "port": 80,
    "readiness": "http://127.0.0.1:{port}/",
    "liveness": "tcp:{port}",
    "check_interval": 1.0,
}


class HealthTests(SynchronousTestCase):
    """One machine, one service."""

    def setUp(self) -> None:
        self.world = World()
        self.world.init()
        self.host = self.world.host("m1")
        self.faults = self.host.probes.faults

    def tearDown(self) -> None:
        self.assertEqual([], self.world.close())

    def go(self, seconds: float) -> None:
        """Let time go by."""
        for _ in range(round(seconds * 10)):
            self.world.server.clock.advance(0.1)
        self.world.server.settle()

    def state(self) -> Any:
        """What the state node says."""
        return self.world.read(self.world.paths.state("web", "m1"))

    def test_ready(self) -> None:
        """It has a state node when its check passes, and not before; what is wrong is shown."""
        self.faults[READY] = "answered 404 Not Found"
        self.world.add("web", "m1", **SETTINGS)
        self.go(3)
        self.assertEqual(("starting", None), (self.world.phase("web"), self.state()))
        self.assertRegex(
            self.world.status("web")["why"],
            "^deployed .*; its readiness check fails: http://127.0.0.1:80/ answered 404 Not Found$",
        )
        del self.faults[READY]
        self.go(2)
        self.assertEqual(("ready", {"port": 80}), (self.world.phase("web"), self.state()))
        self.assertTrue(self.world.status("web")["why"].startswith("deployed"))

    def test_not_ready(self) -> None:
        """The state node goes away when the check fails, and comes back; the process stays."""
        self.world.add("web", "m1", **SETTINGS)
        self.go(3)
        self.faults[READY] = "answered 503"
        self.go(4)
        self.assertEqual(("not ready", None), (self.world.phase("web"), self.state()))
        self.assertIn("answered 503", self.world.status("web")["why"])
        del self.faults[READY]
        self.go(2)
        self.assertEqual(("ready", {"port": 80}), (self.world.phase("web"), self.state()))
        self.assertEqual(1, len(self.host.spawner.spawned))

    def test_not_alive(self) -> None:
        """What fails its liveness check is stopped and started again, and why is shown."""
        self.world.add("web", "m1", **SETTINGS)
        self.go(3)
        self.faults[LIVE] = "did not answer within 5 s"
        self.go(4)
        del self.faults[LIVE]
        self.go(3)
        [first, _] = self.host.spawner.spawned
        self.assertEqual(["TERM"], first.signals)
        status = self.world.status("web")
        self.assertEqual(("ready", 1), (status["phase"], status["restarts"]))
        self.assertEqual(
            "its liveness check fails: tcp:80 did not answer within 5 s", status["why"]
        )

    def test_watchdog(self) -> None:
        """What does not say any more that it lives is stopped and started again."""
        self.world.add("web", "m1", notify=True, watchdog=2.0)
        self.go(1)
        process = self.host.spawner["web"]
        process.notify(b"READY=1")
        for _ in range(5):
            self.go(1.5)
            process.notify(b"WATCHDOG=1")
        self.assertEqual([process], self.host.spawner.running())
        self.go(3)
        self.assertEqual(["TERM"], process.signals)
        self.assertIn("WATCHDOG=1", self.world.status("web")["why"])

    def test_start_timeout(self) -> None:
        """What never passes is started again and again, and what was wrong is shown."""
        self.faults[READY] = "refuses connections"
        self.world.add("web", "m1", **SETTINGS, start_timeout=5.0)
        self.go(7)
        self.assertEqual(2, len(self.host.spawner.spawned))
        self.assertIn("not ready within 5 seconds: its", self.world.status("web")["why"])
        self.assertIn("refuses connections", self.world.status("web")["why"])

    def test_words(self) -> None:
        """What it says for people is shown: with what else is new, or alone and then seldom."""
        self.world.add("web", "m1", notify=True)
        self.go(1)
        process = self.host.spawner["web"]
        process.notify(b"READY=1\nSTATUS=warm")
        self.go(0.1)
        self.assertEqual("warm", self.world.status("web")["says"])
        version = self.world.server.run(self.version())
        for number in range(20):
            process.notify(b"STATUS=%d done" % number)
            self.go(0.5)
        self.go(5)
        self.assertEqual("19 done", self.world.status("web")["says"])
        self.assertLess(self.world.server.run(self.version()) - version, 4)

    async def version(self) -> int:
        """How often the status was written."""
        node = await self.world.admin.node(self.world.paths.status("web", "m1"))
        assert node
        return node[1].version
