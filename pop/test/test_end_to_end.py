"""The tutorial from end to end: real commands, a real agent, a real ZooKeeper."""

import json
import os
import signal
import socket
import urllib.request
from typing import Any

from twisted.internet.threads import deferToThread

from pop.paths import TABLE
from pop.test.shells import Agent, Shell, ShellTestCase, alive, free_port
from txzookeeper.testing import SKIPPED, RealServer, available, real_servers

LATER = ("/<run>", "/going", "/lock", "/authority", "/roll", "/roll/<machine-id>")
"""What is there only once a task or a roll was begun, or in a namespace with an identity."""


def fetch(port: int) -> int:
    """The status of a web server's answer."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return int(answer.status)


def echo(port: int, text: bytes) -> bytes:
    """What an echo server says."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        return connection.recv(len(text))


async def restarted(shell: Shell, old: int) -> bool:
    """Whether a successor's pid has been published."""
    node = await shell.node("/machines/m1/nap")
    return bool(node and node[0] != old and alive(node[0]))


class TutorialTests(ShellTestCase):
    """What the README promises, step by step."""

    skip = None if real_servers() else SKIPPED

    async def test_tutorial(self) -> None:
        """Everything from C{init} to C{stop} does what it says; the foreign client agrees."""
        shell = self.shell()
        port = free_port()
        await self.prepare(shell, port)
        await self.check_nodes(shell, port)
        await self.check_changes(shell)
        await self.check_leaving(shell)

    async def prepare(self, shell: Shell, port: int) -> None:
        """Init, add, start, deploy; in either order."""
        await shell.pop("init")
        await shell.look()
        argv = "python3 -m http.server {port} --bind 127.0.0.1"
        await shell.pop("add", "command", "--name", "web", "--argv", argv, "--port", str(port))
        await shell.pop("add", "twisted-echo")
        await shell.pop("add", "threaded-echo")
        self.assertIn("not deployed", await shell.pop("status", "web"))
        await shell.pop("deploy", "web")
        self.assertIn("no agent", await shell.pop("status", "web"))
        await shell.pop("start", "--label", "rack=7")
        self.addCleanup(self.kill_agent, shell)
        await shell.pop("deploy", "twisted-echo", "--wait")
        await shell.pop("deploy", "threaded-echo", "--wait")
        await shell.pop("deploy", "web", "--wait")

    async def check_nodes(self, shell: Shell, port: int) -> None:
        """Every row of the table, with its kind; and the services answer."""
        await shell.until(lambda: self.answers(port))
        found = {}
        for row in (row for row in TABLE if not row.path.endswith(LATER)):
            path = row.path.replace("<machine-id>", "m1").replace("<service>", "web")
            found[row.path], stat = await shell.node(path)
            self.assertEqual(row.kind == "ephemeral", stat.ephemeralOwner != 0, row.path)
        self.assertEqual({"rack": "7"}, found["/machines/<machine-id>"]["labels"])
        self.assertEqual("command", found["/services/<service>/type"])
        self.assertEqual(["m1"], found["/services/<service>/machines"])
        self.assertEqual(port, found["/services/<service>/settings"]["port"])
        target = found["/services/<service>/target"]
        self.assertEqual((True, 0), (target["run"], target["generation"]))
        self.assertEqual({"port": port}, found["/services/<service>/state/<machine-id>"])
        self.assertEqual("ready", found["/services/<service>/status/<machine-id>"]["phase"])
        self.assertTrue(alive(found["/machines/<machine-id>/<service>"]))
        for name in ("twisted-echo", "threaded-echo"):
            state, _ = await shell.node(f"/services/{name}/state/m1")
            self.assertEqual(b"hello", await deferToThread(echo, state["port"], b"hello"))

    async def answers(self, port: int) -> bool:
        """Whether the web server answers by now; it counts as ready as soon as it runs."""
        try:
            return await deferToThread(fetch, port) == 200
        except OSError:
            return False

    async def check_changes(self, shell: Shell) -> None:
        """Restart after a death, after a change by command and by hand; hold and release."""
        old = (await shell.node("/machines/m1/web"))[0]
        os.kill(old, signal.SIGKILL)
        await shell.until(lambda: self.pid_other_than(shell, old))
        status = await shell.status("web")
        self.assertEqual((1, "ended by signal 9"), (status["restarts"], status["why"]))
        await shell.pop("set", "web", "--port", str(free_port()))
        await shell.until(lambda: self.pid_other_than(shell, status["pid"]))
        self.assertFalse(alive(status["pid"]))
        port = free_port()
        argv = "python3 -m http.server {port} --bind 127.0.0.1"
        await shell.write("/services/web/settings", json.dumps({"argv": argv, "port": port}))
        await shell.until(lambda: self.answers(port))
        await shell.pop("stop", "web")
        await shell.until(lambda: self.phase(shell, "stopped"))
        await shell.pop("start", "web")
        await shell.until(lambda: self.phase(shell, "ready"))
        await shell.pop("restart", "web")
        await shell.until(lambda: self.why(shell, "restart asked"))

    async def pid_other_than(self, shell: Shell, old: int) -> Any:
        """The new process, once there is one."""
        node = await shell.node("/machines/m1/web")
        return node and node[0] != old

    async def phase(self, shell: Shell, phase: str) -> bool:
        """Whether the instance has come to a phase."""
        node = await shell.node("/services/web/status/m1")
        return bool(node and node[0]["phase"] == phase)

    async def why(self, shell: Shell, why: str) -> bool:
        """Whether the instance's phase has a cause."""
        node = await shell.node("/services/web/status/m1")
        return bool(node and node[0]["phase"] == "ready" and node[0]["why"].startswith(why))

    async def check_leaving(self, shell: Shell) -> None:
        """Undeploy, dump and load, reset, stop: at the end no process and no node is left."""
        machines = json.loads(await shell.pop("--json", "machines"))
        self.assertEqual(["threaded-echo", "twisted-echo", "web"], machines["m1"]["services"])
        dumped = await shell.pop("dump")
        self.assertIn("deployed on m1", await shell.refuse("remove", "web"))
        web = (await shell.node("/machines/m1/web"))[0]
        echoing = (await shell.node("/machines/m1/twisted-echo"))[0]
        await shell.pop("undeploy", "web", "--wait")
        self.assertFalse(alive(web))
        self.assertIsNone(await shell.node("/machines/m1/web"))
        await shell.pop("remove", "web")
        self.assertIsNone(await shell.node("/services/web"))
        with open(self.mktemp(), "w") as file:
            file.write(dumped)
        await shell.pop("load", file.name)
        self.assertEqual(dumped, await shell.pop("dump"))
        await shell.until(lambda: self.phase(shell, "ready"))
        web = (await shell.node("/machines/m1/web"))[0]
        await shell.pop("stop")
        self.assertEqual([False, False], [alive(web), alive(echoing)])
        self.assertIsNone(await shell.node("/agents/m1"))
        self.assertIsNone(await shell.node("/machines/m1/web"))
        self.assertIsNone(await shell.node("/services/web/status/m1"))

    def kill_agent(self, shell: Shell) -> None:
        """If the test failed half way."""
        try:
            with open(os.path.join(shell.environment["POP_STATE_DIR"], "agent.lock")) as lock:
                os.kill(int(lock.read()), signal.SIGTERM)
        except (OSError, ValueError):
            pass


class AgentProcessTests(ShellTestCase):
    """C{twistd -n pop} as a process among others."""

    skip = None if real_servers() else SKIPPED

    async def running(self, shell: Shell, service: str) -> int:
        """The pid of an instance, once it is published."""
        node = await shell.until(lambda: shell.node(f"/machines/{shell.machine}/{service}"))
        pid: int = node[0]
        return pid

    async def test_signals(self) -> None:
        """SIGTERM and SIGINT stop the agent and all it runs; it exits with status 0."""
        shell = self.shell()
        await shell.pop("init")
        await shell.look()
        await shell.pop("add", "command", "--name", "nap", "--argv", "sleep 1000")
        await shell.pop("deploy", "nap")
        for name in ("TERM", "INT"):
            agent = shell.agent()
            pid = await self.running(shell, "nap")
            agent.signal(name)
            self.assertEqual(0, await agent.ended, agent.output)
            self.assertFalse(alive(pid))
            self.assertIsNone(await shell.node("/machines/m1/nap"))
            self.assertIsNone(await shell.node("/agents/m1"))

    async def test_killed(self) -> None:
        """After C{kill -9} of the agent, the next one goes on with the service and the session."""
        shell = self.shell()
        await shell.pop("init")
        await shell.look()
        await shell.pop("add", "command", "--name", "nap", "--argv", "sleep 1000")
        await shell.pop("deploy", "nap")
        first = shell.agent()
        pid = await self.running(shell, "nap")
        session = (await shell.node("/machines/m1/nap"))[1].ephemeralOwner
        first.signal("KILL")
        await first.ended
        second = shell.agent()
        await shell.until(lambda: self.serves(shell, second))
        (node, stat) = await shell.node("/machines/m1/nap")
        self.assertEqual((pid, session), (node, stat.ephemeralOwner))
        self.assertTrue(alive(pid))
        second.signal("TERM")
        self.assertEqual(0, await second.ended, second.output)
        self.assertFalse(alive(pid))

    async def serves(self, shell: Shell, agent: Agent) -> bool:
        """Whether an agent is registered."""
        node = await shell.node("/agents/m1")
        return bool(node and node[0]["pid"] == agent.pid)

    async def test_only_one(self) -> None:
        """A second agent with the same state directory or machine id is refused; others live."""
        shell = self.shell()
        await shell.pop("init")
        await shell.look()
        first = shell.agent()
        await shell.until(lambda: shell.node("/agents/m1"))
        same_directory, same_machine = shell.agent(), shell.agent("--state-dir", self.mktemp())
        other = shell.agent("--state-dir", self.mktemp(), "--machine-id", "m2")
        self.assertEqual(1, await same_directory.ended)
        self.assertIn("already runs with the state directory", same_directory.output)
        self.assertEqual(1, await same_machine.ended)
        self.assertIn("The machine m1 has an agent already", same_machine.output)
        await shell.until(lambda: shell.node("/agents/m2"))
        for agent in (first, other):
            agent.signal("TERM")
            self.assertEqual(0, await agent.ended)

    async def test_wrong_identity(self) -> None:
        """An agent that ZooKeeper lets in nowhere says so and exits with status 1."""
        shell = self.shell()
        await shell.pop("init", "--admin-identity", "root:secret")
        agent = shell.agent(POP_ADMIN_IDENTITY="root:wrong")
        self.assertEqual(1, await agent.ended)
        self.assertIn("Give the identity", agent.output)
        self.assertNotIn("Traceback", agent.output)


class OutageTests(ShellTestCase):
    """A ZooKeeper that dies."""

    skip = None if available() and real_servers() else SKIPPED

    async def test_killed_and_back(self) -> None:
        """Services outlive ZooKeeper, are restarted without it, and follow it when it is back."""
        server = RealServer()
        await deferToThread(server.start)
        self.addCleanup(lambda: deferToThread(server.close))
        shell = self.shell(servers=server.servers)
        await shell.pop("init")
        await shell.look()
        await shell.pop("add", "command", "--name", "nap", "--argv", "sleep 1000")
        await shell.pop("deploy", "nap")
        agent = shell.agent()
        pid = (await shell.until(lambda: shell.node("/machines/m1/nap")))[0]
        await deferToThread(server.kill)
        self.assertTrue(alive(pid))
        self.assertIn("No ZooKeeper answers", await shell.refuse("--timeout", "1", "status"))
        os.kill(pid, signal.SIGKILL)
        await deferToThread(server.start)
        await shell.until(lambda: restarted(shell, pid))
        agent.signal("TERM")
        self.assertEqual(0, await agent.ended, agent.output)
