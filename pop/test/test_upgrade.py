"""Real agents come and go, and ZooKeeper with them; real services go on."""

import json
import os
from pathlib import Path
from typing import Any

from pop.test.shells import Agent, EmbeddedTestCase, Shell, ShellTestCase, alive, free_port
from txzookeeper import ClientEvent, ZookeeperClient
from txzookeeper.embedded import EmbeddedServer


async def serving(shell: Shell, pid: int) -> bool:
    """Whether the agent of that pid is registered."""
    node = await shell.node("/agents/m1")
    return bool(node and node[0]["pid"] == pid)


async def registered(shell: Shell, agent: Agent) -> None:
    """Wait until an agent is."""
    await shell.until(lambda: serving(shell, agent.pid))


async def napping(shell: Shell) -> Agent:
    """Have a namespace with one service in it that runs; gives its agent."""
    await shell.pop("init")
    await shell.look()
    await shell.pop("add", "command", "--name", "nap", "--argv", "sleep 1000")
    agent = shell.agent()
    await shell.pop("deploy", "nap", "--wait")
    return agent


class UnnoticedTests(EmbeddedTestCase):
    """A service that goes on from agent to agent."""

    async def begin(self) -> tuple[Shell, Agent, int]:
        """A service that runs, and its pid."""
        shell = self.shell()
        agent = await napping(shell)
        pid, _ = await shell.node("/machines/m1/nap")
        return shell, agent, pid

    async def watch(self, shell: Shell) -> list[ClientEvent]:
        """What happens to any node from now on."""
        seen: list[ClientEvent] = []
        client = ZookeeperClient(self.servers, reactor=shell.reactor)
        self.addCleanup(client.close)
        await client.connect()
        await client.add_watch(shell.environment["POP_PATH_PREFIX"], seen.append, recursive=True)
        return seen

    async def test_unnoticed(self) -> None:
        """Killed, replaced and upgraded agents: the same process, and no node vanishes."""
        shell, agent, pid = await self.begin()
        seen = await self.watch(shell)
        agent.signal("KILL")
        await agent.ended
        agent = shell.agent()
        await registered(shell, agent)
        said = await shell.pop("upgrade")
        self.assertIn(f"Upgraded the agent (pid {agent.pid}) from pop", said)
        self.assertIn("go on", await shell.pop("stop", "--keep-services"))
        self.assertEqual(0, await agent.ended, agent.output)
        self.assertTrue(alive(pid))
        agent = shell.agent()
        await registered(shell, agent)
        self.assertEqual(pid, (await shell.node("/machines/m1/nap"))[0])
        self.assertEqual({"changed"}, {event.type_name for event in seen})
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)
        self.assertFalse(alive(pid))
        self.assertNotIn("Traceback", agent.output)
        self.assertNotIn("ing factory", agent.output)  # Twisted's name for what makes a connection

    async def test_child_remains(self) -> None:
        """After an upgrade a service that dies is seen to, with its exit status."""
        shell, agent, pid = await self.begin()
        await shell.pop("upgrade")
        os.kill(pid, 15)
        await shell.until(lambda: self.restarted(shell, pid))
        self.assertEqual("ended by signal 15", (await shell.status("nap"))["why"])
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)

    async def test_stopped_meanwhile(self) -> None:
        """Asked to stop while it becomes another version, that version stops, and all services."""
        _, agent, pid = await self.begin()
        agent.signal("USR2")
        await agent.said("Giving way")
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)
        self.assertFalse(alive(pid))
        self.assertIn("Stopping 1 services", agent.output)

    async def restarted(self, shell: Shell, old: int) -> Any:
        """Whether it has another pid."""
        node = await shell.node("/machines/m1/nap")
        return node and node[0] != old

    async def test_refused(self) -> None:
        """A version that cannot be loaded is refused with the reason, and the agent goes on."""
        shell = self.shell()
        await shell.pop("init")
        await shell.look()
        installed = Path(self.mktemp())
        installed.mkdir()
        agent = shell.agent(PYTHONPATH=str(installed))
        await registered(shell, agent)
        (installed / "psutil.py").write_text("raise ImportError('half an installation')\n")
        said = await shell.refuse("upgrade")
        self.assertIn("half an installation", said)
        (installed / "psutil.py").unlink()
        await shell.pop("upgrade")
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)
        self.assertIn("No agent runs", await shell.refuse("upgrade"))


class BootTests(ShellTestCase):
    """ZooKeeper is away when an agent begins."""

    def setUp(self) -> None:
        """A server that can be stopped."""
        self.servers = f"127.0.0.1:{free_port()}"
        self.directory = self.mktemp()
        self.begin()
        self.addCleanup(lambda: self.server.stopService())

    def begin(self) -> None:
        """Start the server, on the data that it left."""
        from twisted.internet import reactor

        endpoint = f"tcp:{self.servers.rpartition(':')[2]}:interface=127.0.0.1"
        self.server = EmbeddedServer(reactor, self.directory, [endpoint], secret=b"not secret")
        self.server.startService()

    async def test_boot(self) -> None:
        """What was wanted last is started from memory, and goes on when ZooKeeper is there."""
        shell = self.shell()
        agent = await napping(shell)
        agent.signal("TERM")
        await agent.ended
        await self.server.stopService()
        agent = shell.agent()
        pid = await shell.until(lambda: self.noted(shell))
        self.assertTrue(alive(pid))
        self.begin()
        await shell.until(lambda: self.published(shell, pid))
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)

    async def noted(self, shell: Shell) -> Any:
        """The pid of what runs, by the agent's own note."""
        note = Path(shell.environment["POP_STATE_DIR"]) / "run" / "nap.json"
        return json.loads(note.read_bytes())["pid"] if note.exists() else None

    async def published(self, shell: Shell, pid: int) -> bool:
        """Whether that pid is in ZooKeeper."""
        try:
            node = await shell.node("/machines/m1/nap")
        except Exception:  # the foreign client is not back yet
            return False
        return bool(node and node[0] == pid)
