"""C{pop restart --rolling} on real agents, processes and a ZooKeeper."""

import json

from twisted.internet.defer import Deferred

from pop.test.shells import EmbeddedTestCase, Shell


class RestartTests(EmbeddedTestCase):
    """Two machines."""

    timeout = 240

    async def stop(self, shell: Shell) -> None:
        """End an agent, with all that it runs."""
        await shell.try_pop("stop")

    def test_all(self) -> Deferred[None]:
        """A service is restarted on one machine after the other, and what fails ends that."""
        return Deferred.fromCoroutine(self.story())

    async def story(self) -> None:
        one = self.shell("m1")
        await one.pop("init")
        await one.pop("add", "command", "--name", "web", "--argv", "sleep 1000")
        for shell in (one, self.shell("m2")):
            await shell.pop("start")
            self.addCleanup(self.stop, shell)
            await shell.pop("deploy", "web", "--wait")
        said = (await one.pop("restart", "web", "--rolling")).splitlines()
        self.assertEqual("web is restarted on m1, m2, 1 at a time.", said[0])
        # Whoever asks first gives itself the first turn.
        first, second = sorted(("m1", "m2"), key=lambda machine: said.index(f"{machine} is ready."))
        self.assertLess(said.index(f"{first} is ready."), said.index(f"{second} restarts."))
        self.assertEqual("web was restarted on m1, m2.", said[-1])
        await self.check_failure(one)
        await self.check_usage(one)

    async def check_failure(self, shell: Shell) -> None:
        """What ends at once on the first machine, whichever that is, never comes to the second."""
        await shell.pop("set", "web", "--roll-batch", "1", "--argv", "sh -c 'exit 3'")

        async def stopped() -> list[str]:
            roll = json.loads(await shell.pop("--json", "status", "web"))["roll"]
            return (
                [roll["stop"]["machine"], *roll["waiting"]]
                if roll["stop"] and roll["waiting"]
                else []
            )

        first, *waiting = await shell.until(stopped)
        [second] = {"m1", "m2"} - {first}
        self.assertEqual([second], waiting)
        status = await shell.pop("status", "web")
        why = "exited with status 3"
        self.assertRegex(status, rf"roll +stopped on {first}: {why}, {second} waits in vain")
        self.assertRegex(status, rf"{second} +ready .*the roll stopped on {first}")
        await shell.pop("set", "web", "--argv", "sleep 1001")
        refused = await shell.pop("restart", "web", "--rolling", "--batch", "2")
        self.assertIn("web was restarted on m1, m2.", refused)

    async def check_usage(self, shell: Shell) -> None:
        """What goes with --rolling does not go without."""
        self.assertIn("--rolling", await shell.refuse("restart", "web", "--batch", "1", status=2))
        found = await shell.pop("--json", "restart", "web", "--rolling", "--no-wait")
        self.assertEqual({"service": "web", "generation": 3, "batch": 1}, json.loads(found))
