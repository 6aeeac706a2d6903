"""The commands that start and stop this machine's agent, for real."""

import json

from twisted.internet.defer import Deferred

from pop.test.shells import Shell, free_port
from pop.test.test_cli_cluster import CommandsTestCase


class AgentCommandTests(CommandsTestCase):
    """C{pop start}, C{pop fg}, C{pop stop}."""

    async def test_agent(self) -> None:
        """It is started once and waited for; a second one is refused; and it is stopped."""
        shell = await self.open()
        started, again, machines = await self.json(
            shell,
            ("start", "--label", "rack=7", "--session-timeout", "4"),
            ("start",),
            ("machines",),
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(shell.try_pop("stop")))
        pid = started["pid"]
        self.assertEqual((True, "m1"), (started["started"], started["machine"]))
        self.assertEqual((pid, False), (again["pid"], again["started"]))
        self.assertEqual({"rack": "7"}, machines["m1"]["labels"])
        self.assertEqual((True, pid), (machines["m1"]["alive"], machines["m1"]["pid"]))
        dies = ("--name", "dies", "--argv", "sh -c 'exit 3'", "--max-failures", "2")
        await self.pop(
            shell,
            ("add", "command", "--name", "no", "--argv", "/no/such/program"),
            ("add", "command", *dies),
        )
        other = f"--state-dir={self.mktemp()}"
        results = await self.batch(
            shell,
            ("fg",),
            (other, "start"),
            ("--timeout=20", "deploy", "no", "--wait"),
            ("--timeout=20", "deploy", "dies", "--wait"),
            ("undeploy", "no", "--wait"),
            ("stop",),
            ("stop",),
        )
        fg, twin, failed, died, gone, stopped, absent = results
        for (status, _, err), expected in (
            (fg, (str(pid), "--state-dir")),
            (twin, ("m1", str(pid), "--machine-id")),
            (failed, ("no", "failed", "/no/such/program")),
            (died, ("dies", "failed", "exited with status 3; 2 failures in a row")),
            (absent, ("pop start",)),
        ):
            self.assertEqual(1, status)
            self.assertRegex(err, r"\Apop: [^\n]+\.\n\Z")
            for word in expected:
                self.assertIn(word, err)
        self.assertEqual((0, 0), (gone[0], stopped[0]))
        self.assertIn(str(pid), stopped[1])
        self.assertEqual(None, await shell.node("/agents/m1"))

    async def test_away(self) -> None:
        """Where an agent has been, the next one is started without ZooKeeper; else not."""
        shell = await self.open()
        away = (f"--zookeeper=127.0.0.1:{free_port()}", "--timeout=2")
        for command in ("start", "fg"):
            self.assertIn("No ZooKeeper answers", await shell.refuse(*away, command))
        self.addCleanup(lambda: Deferred.fromCoroutine(shell.try_pop("stop")))
        await self.pop(shell, ("start",), ("stop", "--keep-services"))
        status, out, err = await shell.try_pop("--json", *away, "start")
        self.assertEqual(
            (0, True, "m1"), (status, *map(json.loads(out).get, ("started", "machine")))
        )
        self.assertRegex(err, r"\Apop: No ZooKeeper answers at [^\n]+ wanted here.\n\Z")
        self.assertIn(str(json.loads(out)["pid"]), await shell.pop(*away, "stop"))
        said = await shell.refuse(*away, "--timeout=0.1", "start")
        self.assertRegex(said, r"did not start: [^\n]+ after 0\.1 seconds; see /[^\n]+\n\Z")
        await shell.until(lambda: self.stopped(shell))

    async def stopped(self, shell: Shell) -> bool:
        """Whether an agent was there, to be stopped."""
        status, _, _ = await shell.try_pop("stop")
        return status == 0
