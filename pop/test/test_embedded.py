"""Pop without Java: everything from end to end on the embedded ZooKeeper."""

import os
from typing import Any

from pop.test import test_end_to_end
from pop.test.shells import EmbeddedTestCase, Shell, ShellTestCase, alive, free_port


class EmbeddedTutorialTests(EmbeddedTestCase, test_end_to_end.TutorialTests):
    """The tutorial, on the embedded server."""

    skip = None


class EmbeddedAgentProcessTests(EmbeddedTestCase, test_end_to_end.AgentProcessTests):
    """The agent as a process, on the embedded server."""

    skip = None


class OwnZooKeeperTests(ShellTestCase):
    """An agent with a ZooKeeper of its own."""

    def alone(self) -> Shell:
        """A shell on a machine where no ZooKeeper runs."""
        shell = self.shell(servers=f"127.0.0.1:{free_port()}")
        self.addCleanup(shell.try_pop, "stop")
        return shell

    async def test_start(self) -> None:
        """One command makes a machine that runs services; a killed agent's successor knows them."""
        shell = self.alone()
        await shell.pop("start", "--embedded")
        await shell.pop("add", "twisted-echo")
        await shell.pop("deploy", "twisted-echo", "--wait")
        first = await shell.status("twisted-echo")
        with open(os.path.join(shell.environment["POP_STATE_DIR"], "agent.lock")) as lock:
            os.kill(int(lock.read()), 9)
        await shell.pop("start", "--embedded")
        again: Any = await shell.until(lambda: self.taken_over(shell))
        self.assertEqual(first["pid"], again["pid"])
        self.assertTrue(alive(first["pid"]))
        await shell.pop("stop")
        self.assertIn("No ZooKeeper answers", await shell.refuse("--timeout", "1", "status"))
        self.assertFalse(alive(first["pid"]))

    async def test_late(self) -> None:
        """One that does not answer in time is not taken for one that is away, from which the agent
        would go by what it remembers: it is said that it does not answer."""
        shell = self.alone()
        await shell.pop("start", "--embedded")
        await shell.pop("add", "twisted-echo")
        await shell.pop("deploy", "twisted-echo", "--wait")
        await shell.pop("stop")
        said = await shell.refuse("--timeout=0.1", "start", "--embedded")
        self.assertRegex(said, r"\Apop: No ZooKeeper answers at [^\n]+\n\Z")
        self.assertNotIn("wanted here", said)
        await shell.until(lambda: self.stopped(shell))

    async def stopped(self, shell: Shell) -> bool:
        """Whether an agent was there, to be stopped."""
        status, _, _ = await shell.try_pop("stop")
        return status == 0

    async def taken_over(self, shell: Shell) -> Any:
        """The instance, if it is ready and an agent goes on with what another one started."""
        found = await shell.status("twisted-echo")
        taken = found and found["phase"] == "ready" and found["why"].startswith("taken over")
        return found if taken else None

    async def test_protected(self) -> None:
        """With an identity the namespace is made for nobody else."""
        shell = self.alone()
        await shell.pop("--admin-identity", "me:secret", "start", "--embedded")
        self.assertIn("refuses access", await shell.refuse("status"))
        await shell.pop("--admin-identity", "me:secret", "status")

    async def test_foreground(self) -> None:
        """In the foreground, Ctrl-C ends the agent first and its ZooKeeper after it."""
        shell = self.alone()
        agent = shell.agent("--embedded")
        await shell.until(lambda: self.says(agent, "is ready to run services"))
        agent.signal("INT")
        self.assertEqual(0, await agent.ended)
        self.assertIn("Made the namespace", agent.output)
        self.assertLess(agent.output.index("Stopped."), agent.output.index("(TCP Port"))
        self.assertNotIn("Traceback", agent.output)

    async def says(self, agent: Any, words: str) -> bool:
        """Whether the agent has said this."""
        return words in agent.output

    async def test_refused(self) -> None:
        """A port in use, data in use and several addresses are refused in a sentence each."""
        shell = self.alone()
        await shell.pop("start", "--embedded")
        other = self.shell("m2", servers=shell.environment["POP_ZOOKEEPER"])
        said = await other.refuse("start", "--embedded")
        self.assertIn("Address already in use", said)
        several = self.shell("m3", servers="one:1,two:2")
        self.assertIn("one address", await several.refuse("start", "--embedded"))
