"""The commands as an administrator types them, on a real ZooKeeper."""

import json
import sys
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue

from pop.test.shells import Refused, Shell, ShellTestCase
from txzookeeper.testing import SKIPPED, real_servers

Words = tuple[str, ...]
Case = tuple[Words, Words]
"""What is typed, and words that the refusal has."""
Result = tuple[int, str, str]


class CommandsTestCase(ShellTestCase):
    """An administrator's shell, with a foreign client that sees every node."""

    skip = None if real_servers() else SKIPPED

    async def open(self) -> Shell:
        """A shell with a namespace."""
        shell = self.shell()
        await shell.pop("init")
        await shell.look()
        self.addCleanup(lambda: deferToThread(shell.zookeeper.delete, "/", recursive=True))
        return shell

    async def batch(self, shell: Shell, *commands: Words, at_once: int = 1) -> list[Result]:
        """Run commands as processes of their own; see L{pop.test.batch}."""
        work = json.dumps({"commands": commands, "at_once": at_once})
        out, err, status = await getProcessOutputAndValue(
            sys.executable,
            ["-m", "pop.test.batch"],
            env=shell.environment,
            reactor=shell.reactor,
            stdinBytes=work.encode(),
        )
        self.assertEqual((0, ""), (status, err.decode()))
        return [(status, out, err) for status, out, err in json.loads(out)]

    async def pop(self, shell: Shell, *commands: Words, at_once: int = 1) -> list[str]:
        """The outputs of commands that must all succeed, one after the other."""
        results = await self.batch(shell, *commands, at_once=at_once)
        for words, (status, out, err) in zip(commands, results, strict=True):
            if status:
                raise Refused(f"pop {words}: status {status}\n{out}{err}")
        return [out for _, out, _ in results]

    async def json(self, shell: Shell, *commands: Words) -> list[Any]:
        """What commands print for scripts."""
        found = await self.pop(shell, *[("--json", *words) for words in commands])
        return [json.loads(text) for text in found]

    async def tree(self, shell: Shell) -> dict[str, tuple[bytes, int]]:
        """Every node, with its data and when it was last changed."""

        def look(path: str) -> dict[str, tuple[bytes, int]]:
            data, stat = shell.zookeeper.get(path)
            found = {path: (data, stat.mzxid)}
            for child in shell.zookeeper.get_children(path):
                found |= look(f"{path.rstrip('/')}/{child}")
            return found

        found: dict[str, tuple[bytes, int]] = await deferToThread(look, "/")
        return found

    async def refuse(self, shell: Shell, *cases: Case, status: int = 1) -> None:
        """Each is refused in one sentence with these words, and nothing has changed."""
        before = await self.tree(shell)
        commands = [words for words, _ in cases]
        results = await self.batch(shell, *commands, at_once=4)
        for (words, expected), (got, out, err) in zip(cases, results, strict=True):
            if got != status or "Traceback" in err:
                self.fail(f"pop {words!r}: status {got}, not {status}\n{out!r}{err!r}")
            for word in expected:
                self.assertIn(word, err, words)
            if status == 1:
                self.assertRegex(err, r"\Apop: [^\n]+\.\n\Z", words)
        self.assertEqual(before, await self.tree(shell))


class EveryCommandTests(CommandsTestCase):
    """The table of commands, where no agent is needed."""

    async def test_for_people(self) -> None:
        """Each command does what it says, and says what it did."""
        shell = await self.open()
        steps = (
            (("status",), r"no services yet"),
            (("machines",), r"no machines yet"),
            (
                ("add", "command", "--name", "web", "--argv", "serve {port}", "--port=8"),
                r'Added web\. Have it run with "pop deploy web"\.',
            ),
            (("status",), r"web +command +run +not deployed"),
            (("deploy", "web"), r"Deployed web on m1\."),
            (("deploy", "web"), r"Deployed web on m1\."),
            (("status",), r"web +command +run +m1 +no agent"),
            (("status", "web"), r"argv +serve \{port\}\n +port +8\n[^$]+m1 +no agent"),
            (("machines",), r"m1 \(this one\) +gone +web"),
            (("set", "web", "--port", "9"), r"Changed web\."),
            (("set", "web", "--port", "9"), r"web has these settings already\."),
            (("set", "web", "--help"), r"--port INTEGER"),
            (("stop", "web"), r'web should not run, until "pop start web"\.'),
            (("status",), r"web +command +hold"),
            (("start", "web"), r"web should run, on m1\."),
            (("restart", "web"), r"web is restarted, on m1\."),
            (("undeploy", "web"), r"Undeployed web from m1\."),
            (("undeploy", "web"), r"web was not deployed on m1\."),
            (("remove", "web"), r"Removed web\."),
            (("dump",), r"\Aservices: \{\}\nmachines: \{\}\n\Z"),
        )
        results = await self.pop(shell, *[words for words, _ in steps])
        for (words, expected), found in zip(steps, results, strict=True):
            self.assertRegex(found, expected, words)

    async def test_for_scripts(self) -> None:
        """With --json each command prints JSON that says what has become of it."""
        shell = await self.open()
        echo, to = "twisted-echo", "--machine"
        added, deployed, stopped, found, restarted, started = await self.json(
            shell,
            ("add", echo, "--port", "7", "--environment", "A=1=2"),
            ("deploy", echo, to, "m2", to, "m1", to, "m2", "--force"),
            ("stop", echo),
            ("status", echo),
            ("restart", echo),
            ("start", echo),
        )
        settings = {"port": 7, "environment": {"A": "1=2"}}
        self.assertEqual({"service": echo, "settings": settings}, added)
        self.assertEqual({"service": echo, "machines": ["m2", "m1"]}, deployed)
        self.assertEqual({"service": echo, "run": False}, stopped)
        self.assertEqual({"run": False, "generation": 0}, found["target"])
        self.assertEqual(["m2", "m1"], list(found["machines"]))
        self.assertEqual({"service": echo, "generation": 1}, restarted)
        self.assertEqual({"service": echo, "run": True}, started)

        changed, machines, dumped, left, all_services, _, removed = await self.json(
            shell,
            ("set", echo, "--unset=environment", "--port=8"),
            ("machines",),
            ("dump",),
            ("undeploy", echo, to, "m2"),
            ("status",),
            ("deploy", echo),
            ("remove", echo, "--force"),
        )
        self.assertEqual({"service": echo, "settings": {"port": 8}, "changed": True}, changed)
        self.assertEqual(["m1", "m2"], list(machines))
        service = {
            "type": echo,
            "settings": {"port": 8},
            "machines": ["m2", "m1"],
            "target": {"run": True, "generation": 1},
        }
        self.assertEqual({"services": {echo: service}, "machines": {}}, dumped)
        self.assertEqual({"service": echo, "machines": ["m1"]}, left)
        self.assertEqual([echo], list(all_services))
        self.assertEqual({"service": echo}, removed)
        self.assertEqual(None, await shell.node(f"/services/{echo}"))

    async def test_dump_and_load(self) -> None:
        """What is dumped is loaded into a namespace that was reset; what goes with that is said."""
        shell = await self.open()
        _, _, text, plain = await self.pop(
            shell,
            ("add", "command", "--name", "wéb", "--argv", "true"),
            ("deploy", "wéb"),
            ("dump",),
            ("dump", "--format", "json"),
        )
        files = (self.mktemp(), self.mktemp())
        for file, dumped in zip(files, (text, plain), strict=True):
            with open(file, "w", encoding="utf-8") as out:
                out.write(dumped)
        reset, empty, loaded, again, _, _, last = await self.pop(
            shell,
            ("init", "--force"),
            ("dump",),
            ("load", files[0]),
            ("dump",),
            ("init", "--force"),
            ("load", files[1]),
            ("dump",),
        )
        self.assertIn("Removed 1 service (wéb)", reset)
        self.assertEqual("services: {}\nmachines: {}\n", empty)
        self.assertIn("Loaded 1 service (wéb)", loaded)
        self.assertEqual((text, text), (again, last))


class RefusedTests(CommandsTestCase):
    """Bad input: one sentence, status 1, nothing changed."""

    async def test_unknown(self) -> None:
        """Services, machines and settings that are not there, or there already, or in use."""
        shell = await self.open()
        await self.pop(
            shell, ("add", "command", "--name", "web", "--argv", "true"), ("deploy", "web")
        )
        missing = ('"nope"', "pop status")
        await self.refuse(
            shell,
            (("status", "nope"), missing),
            (("set", "nope", "--port", "1"), missing),
            (("deploy", "nope"), missing),
            (("undeploy", "nope"), missing),
            (("start", "nope"), missing),
            (("stop", "nope"), missing),
            (("restart", "nope"), missing),
            (("remove", "nope"), missing),
            (("deploy", "web", "--machine", "m7"), ('"m7"', "pop machines", "--force")),
            (("add", "command", "--name", "web", "--argv", "true"), ('"web"', "--name")),
            (("remove", "web"), ("m1", "--force")),
            (("init",), ("services: 1", "--force")),
            (("set", "web", "--port", "high"), ('"port"', "whole number")),
            (("set", "web", "--port", "65536"), ('"port"', "from 0 to 65535")),
            (("set", "web", "--unset", "argv"), ('"argv"',)),
            (("set", "web", "--unset", "prot"), ('"prot"', '"port"')),
            (("set", "web", "--argv", "x {port}"), ("{port}",)),
            (("add", "command", "--argv", "caf\udce9"), ('"argv"',)),
            (("add", "twisted-echo", "--name", ""), ("it is empty",)),
            (("--timeout=2", "deploy", "web", "--wait"), ("web", "m1", "agent")),
        )
        await self.refuse(
            shell,
            (("set", "web"), ("what to set",)),
            (("set", "web", "--prot", "1"), ("--prot", "--port")),
            (("set", "web", "8080"), ("8080",)),
            (("frob",), ("frob",)),
            status=2,
        )

    async def test_zookeeper(self) -> None:
        """A ZooKeeper that is not there, a wrong name, a namespace or a chroot that is not."""
        shell = await self.open()
        nobody, host = "--zookeeper=127.0.0.1:1", "no.such.host.invalid"
        away = ("127.0.0.1:1", "refused", "--zookeeper")
        nowhere = ("/nowhere", "pop init")
        state_dir = f"--state-dir={self.mktemp()}"
        await self.refuse(
            shell,
            (("--timeout=2", nobody, "status"), away),
            (("--timeout=2", "--port=1", "--host=127.0.0.1", "add", "twisted-echo"), away),
            (("--timeout=2", nobody, state_dir, "start"), away),
            (("--timeout=2", f"--zookeeper={host}", "dump"), (host, "--zookeeper")),
            (("--path-prefix=/nowhere", "status"), nowhere),
            (("--path-prefix=/nowhere", "machines"), nowhere),
            (("--path-prefix=/nowhere", "dump"), nowhere),
            (("--path-prefix=/nowhere", "add", "twisted-echo"), nowhere),
            (("--path-prefix=/nowhere", "deploy", "web"), nowhere),
            (("--path-prefix=/nowhere", "remove", "web"), nowhere),
            (("--path-prefix=/nowhere", state_dir, "start"), nowhere),
            (("--path-prefix=/nowhere", state_dir, "fg"), nowhere),
            ((f"--zookeeper={real_servers()}/not/there", "init"), ("/not/there",)),
        )

    async def test_identity(self) -> None:
        """In a protected namespace everything is refused to who has no identity, or another."""
        shell = await self.open()
        ours, file = ("--admin-identity", "us:a:b"), self.mktemp()
        with open(file, "w") as out:
            out.write("us:a:b\n")
        await self.pop(
            shell,
            ("init", "--force", *ours),
            (*ours, "add", "command", "--name", "web", "--argv", "x"),
            ("--admin-identity-file", file, "add", "twisted-echo"),
        )
        await deferToThread(shell.zookeeper.add_auth, "digest", "us:a:b")
        forbidden = ("--admin-identity", "POP_ADMIN_IDENTITY", "/services")
        cases: list[Words] = [
            *[(*who, "add", "twistd", "--plugin", "x") for who in ((), ("--admin-identity=us:x",))],
            ("--admin-identity=them:a:b", "status"),
            ("status", "web"),
            ("deploy", "web"),
            ("set", "web", "--port", "1"),
            ("stop", "web"),
            ("remove", "web"),
            ("init", "--force"),
            ("dump",),
            ("load", file),
        ]
        with open(file, "w") as out:
            out.write("services: {web: {type: command, settings: {argv: y}}}")
        await self.refuse(shell, *[(words, forbidden) for words in cases])
        shell.environment["POP_ADMIN_IDENTITY"] = "us:a:b"
        [found] = await self.json(shell, ("status",))
        self.assertEqual(["twisted-echo", "web"], list(found))

    async def test_broken_nodes(self) -> None:
        """A broken node is named by whatever needs it, hides nothing else, and can be mended."""
        shell = await self.open()
        *_, whole = await self.pop(
            shell,
            ("add", "command", "--name", "web", "--argv", "true"),
            ("add", "twisted-echo"),
            ("dump",),
        )
        file = self.mktemp()
        with open(file, "w") as saved:
            saved.write(whole)
        await shell.write("/services/web/settings", "{")
        named = ("/services/web/settings", "not JSON")
        await self.refuse(
            shell,
            (("deploy", "web"), named),
            (("set", "web", "--port", "1"), named),
            (("restart", "web"), named),
            (("remove", "web"), named),
        )
        (_, out, _), (code, dumped, err), _, (_, mended, _) = await self.batch(
            shell, ("--json", "status"), ("dump",), ("load", file), ("dump",)
        )
        found = json.loads(out)
        self.assertIn("/services/web/settings", found["web"]["problem"])
        self.assertEqual(None, found["twisted-echo"]["problem"])
        self.assertEqual(0, code)
        self.assertIn("twisted-echo", dumped)
        self.assertRegex(err, r"\Apop: Left out: [^\n]*/services/web/settings[^\n]*\n\Z")
        self.assertEqual(whole, mended)
        await shell.write("/services/web/type", "frob")
        await self.refuse(shell, (("set", "web", "--port", "1"), ('"frob"',)))
        await self.pop(shell, ("remove", "web", "--force"))
        self.assertEqual(None, await shell.node("/services/web"))


class AtOnceTests(CommandsTestCase):
    """Administrators who do not know of each other."""

    async def test_many(self) -> None:
        """Ten who deploy the same service elsewhere, and some who change it, lose nothing."""
        shell = await self.open()
        await self.pop(shell, ("add", "command", "--name", "web", "--argv", "true"))
        machines = [f"m{number}" for number in range(10)]
        await self.pop(
            shell,
            *[("deploy", "web", "--machine", machine, "--force") for machine in machines],
            ("set", "web", "--port", "8"),
            ("set", "web", "--directory", "/tmp"),
            ("restart", "web"),
            ("restart", "web"),
            at_once=14,
        )
        found, stat = await shell.node("/services/web/machines")
        self.assertEqual(machines, sorted(found))
        self.assertEqual(10, stat.version)
        settings, _ = await shell.node("/services/web/settings")
        self.assertEqual({"argv": "true", "port": 8, "directory": "/tmp"}, settings)
        target, _ = await shell.node("/services/web/target")
        self.assertEqual(2, target["generation"])
