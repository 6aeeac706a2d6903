"""What the command line says without asking ZooKeeper: help, types, and wrong words."""

import json
import os
import subprocess
import sys
from typing import Any

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from pop.cli import COMMANDS, cli
from pop.errors import PopError


class CommandLineTestCase(SynchronousTestCase):
    """Runs commands in this process, away from this machine's own settings.

    Only what ends before ZooKeeper is asked: else the reactor would be run, which is trial's.
    """

    def setUp(self) -> None:
        self.state_dir = os.path.abspath(self.mktemp())
        environment: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith("POP_")
        }
        environment |= {"POP_STATE_DIR": self.state_dir, "POP_MACHINE_ID": "m1"}
        environment |= {"POP_ZOOKEEPER": "127.0.0.1:1"}
        self.runner = CliRunner(env=environment)

    def output(self, *words: str) -> str:
        """What a command prints that must succeed."""
        result = self.runner.invoke(cli, list(words), standalone_mode=False)
        self.assertEqual(None, result.exception, words)
        self.assertEqual(0, result.exit_code, words)
        return result.output

    def refused(self, *words: str) -> str:
        """The sentence on what is refused with status 1."""
        result = self.runner.invoke(cli, list(words), standalone_mode=False)
        if not isinstance(result.exception, PopError):
            raise self.failureException(f"{words}: {result.exception!r}")
        said = str(result.exception)
        self.assertRegex(said, r"(?s)\A\S.*[.)]\Z", words)
        self.assertNotIn("\n", said, words)
        return said

    def misused(self, *words: str) -> str:
        """The words on a wrong usage, whose status is 2."""
        result = self.runner.invoke(cli, list(words), standalone_mode=False)
        if not isinstance(result.exception, click.ClickException):
            raise self.failureException(f"{words}: {result.exception!r}")
        self.assertEqual(2, result.exception.exit_code, words)
        return result.exception.format_message()


class HelpTests(CommandLineTestCase):
    """Whoever asks is told."""

    def test_all(self) -> None:
        """The help names every command with a line, and every option before it."""
        found = self.output("--help")
        for name, (_, line) in COMMANDS.items():
            self.assertRegex(found, rf"(?m)^  {name} +{line[:30]}")
        for option in ("--zookeeper", "--path-prefix", "--json", "--timeout", "--version"):
            self.assertIn(option, found)

    def test_each(self) -> None:
        """Each command has help, which begins with the line of the table or says more."""
        for name in COMMANDS:
            for option in ("--help", "-h"):
                found = self.output(name, option)
                self.assertIn(f"Usage: cli {name}", found)
                self.assertGreater(len(found.splitlines()), 3, name)

    def test_type(self) -> None:
        """The help on adding a type lists its settings, with what they take and defaults."""
        found = " ".join(self.output("add", "twisted-echo", "--help").split())
        for words in (
            "--name TEXT",
            "[default: twisted-echo]",
            "--host TEXT",
            "[default: 127.0.0.1]",
            "--port INTEGER",
            "[default: 0]",
            "--environment KEY=VALUE",
            "May be repeated.",
            "--stop-signal",
            "--grace-period NUMBER",
            "[default: 10]",
        ):
            self.assertIn(words, found)
        self.assertIn("[required]", self.output("add", "command", "--help"))

    def test_version(self) -> None:
        """The version is a number."""
        self.assertRegex(self.output("--version"), r"^pop \d")

    def test_at_once(self) -> None:
        """It comes at once: nothing of Twisted, rich or ZooKeeper is loaded for it."""
        program = "import sys, pop.cli; pop.cli.cli(['--help'], standalone_mode=False)\n"
        program += "print(*{name.partition('.')[0] for name in sys.modules})"
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        loaded = set(done.stdout.splitlines()[-1].split())
        self.assertEqual(set(), loaded & {"twisted", "zope", "rich", "txzookeeper", "psutil"})

    def test_no_command(self) -> None:
        """Without a command, the help is shown."""
        result = self.runner.invoke(cli, [])
        self.assertIn("Commands:", result.output)


class TypesTests(CommandLineTestCase):
    """C{pop types}."""

    def test_all(self) -> None:
        """Every installed type is listed with what it runs."""
        found = self.output("types")
        for name in ("command", "twistd", "twisted-echo", "threaded-echo"):
            self.assertRegex(found, rf"(?m)^{name} +\w")

    def test_one(self) -> None:
        """One type is listed with all settings."""
        found = self.output("types", "command")
        for words in (r"^argv +TEXT +\(required\)", r"^port +INTEGER", r"^stop_signal +TERM\|INT"):
            self.assertRegex(found, f"(?m){words}")

    def test_json(self) -> None:
        """Scripts get the same as JSON."""
        found: Any = json.loads(self.output("--json", "types"))
        self.assertLessEqual({"command", "twistd", "twisted-echo", "threaded-echo"}, set(found))
        port = found["twisted-echo"]["settings"]["port"]
        self.assertEqual((0, False, "INTEGER"), (port["default"], port["required"], port["takes"]))
        one = json.loads(self.output("--json", "types", "command"))
        self.assertEqual({"command": found["command"]}, one)
        self.assertEqual(True, one["command"]["settings"]["argv"]["required"])

    def test_tasks(self) -> None:
        """Of a type with tasks, these are listed, too."""
        self.assertRegex(self.output("types", "python"), r"(?m)^packages +List the packages")
        found = json.loads(self.output("--json", "types", "python"))
        self.assertLessEqual({"install", "packages", "rollback"}, set(found["python"]["tasks"]))
        self.assertNotIn("TASK", self.output("types", "command"))

    def test_unknown(self) -> None:
        """One that is not there is refused, with the nearest that is."""
        found = self.refused("types", "comand")
        self.assertIn('"comand"', found)
        self.assertIn('did you mean "command"?', found)


class MisusedTests(CommandLineTestCase):
    """Wrong usage: status 2, and what is wrong with it."""

    def test_words(self) -> None:
        """Commands, options and arguments that are not there, or too many, are named."""
        for words, named in (
            (("frob",), "frob"),
            (("--frob", "status"), "--frob"),
            (("status", "--frob"), "--frob"),
            (("status", "a", "b"), "b"),
            (("deploy",), "SERVICE"),
            (("undeploy",), "SERVICE"),
            (("remove",), "SERVICE"),
            (("restart",), "SERVICE"),
            (("load",), "FILE"),
            (("add",), ""),
            (("set",), "SERVICE"),
            (("set", "--port", "3"), "SERVICE"),
            (("dump", "--format", "xml"), "xml"),
            (("add", "command", "--frob", "3"), "--frob"),
            (("add", "command", "--argv"), "--argv"),
            (("deploy", "web", "--machine"), "--machine"),
            (("--timeout", "0", "status"), "--timeout"),
            (("--timeout", "soon", "status"), "soon"),
            (("--port", "0", "status"), "--port"),
            (("--port", "x", "status"), "x"),
            (("--zookeeper", "a:1", "--port", "2", "status"), "--zookeeper"),
        ):
            self.assertIn(named, self.misused(*words), words)


class RefusedTests(CommandLineTestCase):
    """What makes no sense, whatever ZooKeeper holds: status 1, and a sentence."""

    def check(self, *cases: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
        """Each is refused, in these words."""
        for words, expected in cases:
            said = self.refused(*words)
            for word in expected:
                self.assertIn(word, said, words)

    def test_settings(self) -> None:
        """Settings of a wrong type or out of range are named, with what they take."""
        add, echo = ("add", "command", "--argv", "true"), ("add", "twisted-echo")
        self.check(
            (("add", "nope"), ('"nope"', "pop types")),
            (("add", "twistedecho"), ('did you mean "twisted-echo"?',)),
            (("add", "command"), ('"argv"', "Command line")),
            (("add", "twistd"), ('"plugin"',)),
            ((*echo, "--port", "x"), ('"port"', "'x'", "whole number")),
            ((*echo, "--port", "65536"), ('"port"', "65536", "from 0 to 65535")),
            ((*echo, "--port", "-1"), ('"port"', "from 0 to 65535")),
            ((*echo, "--port", "1.5"), ('"port"', "whole number")),
            ((*echo, "--grace-period", "long"), ('"grace_period"', "number")),
            ((*echo, "--grace-period", "nan"), ('"grace_period"',)),
            ((*echo, "--grace-period", "-3"), ('"grace_period"',)),
            ((*echo, "--stop-signal", "STOP"), ('"stop_signal"', "TERM")),
            ((*echo, "--environment", "NAME"), ('"environment"', "KEY=VALUE")),
            ((*echo, "--environment", "=x"), ('"environment"',)),
            (("add", "command", "--argv", "'"), ('"argv"', "quot")),
            (("add", "command", "--argv", ""), ('"argv"',)),
            (("add", "command", "--argv", "serve {port}"), ("{port}",)),
            ((*add, "--port", "99999"), ('"port"', "from 0 to 65535")),
            ((*echo, "--host", "a\nb"), ('"host"',)),
            ((*echo, "--host", "\udcff"), ('"host"',)),
        )

    def test_names(self) -> None:
        """Names that cannot be nodes are refused, with the reason."""
        for name in ("a/b", ".", "..", "-x", ".x", "a\nb", "x" * 201, "\udcff", "a\0b"):
            self.check(
                (("add", "twisted-echo", f"--name={name}"), ("name of a service",)),
                (("deploy", "web", f"--machine={name}"), ("name of a machine",)),
                (("undeploy", "web", f"--machine={name}"), ("name of a machine",)),
            )
        self.assertIn("it is empty", self.refused("deploy", "web", "--machine", ""))

    def test_connection(self) -> None:
        """Addresses, prefixes and identities of a wrong form are refused as what they are."""
        self.check(
            (("--zookeeper", "a:b", "status"), ("a:b", "HOST:PORT")),
            (("--zookeeper", "a:99999", "status"), ("a:99999", "HOST:PORT")),
            (("--zookeeper", "a:1/x//y", "status"), ("a:1/x//y",)),
            (("--zookeeper", ",", "status"), ("HOST:PORT",)),
            (("--path-prefix", "pop", "status"), ('"pop"', "slash")),
            (("--path-prefix", "/a//b", "status"), ("/a//b",)),
            (("--path-prefix", "/..", "status"), ("/..",)),
            (("--admin-identity", "us", "status"), ("USER:PASSWORD",)),
            (("--admin-identity", ":x", "status"), ("USER:PASSWORD",)),
            (("init", "--admin-identity", "us"), ("USER:PASSWORD",)),
            (("--admin-identity-file", "/nope/x", "status"), ("/nope/x", "No such file")),
            (("--machine-id", "a/b", "deploy", "web"), ("a/b",)),
        )

    def test_files(self) -> None:
        """Files that cannot be loaded are named, before ZooKeeper is asked."""
        nonsense = self.mktemp()
        with open(nonsense, "wb") as file:
            file.write(b"\xff\xfe\x00")
        unknown = self.mktemp()
        with open(unknown, "w") as file:
            file.write("services: {web: {type: frob}, x: {type: command, settings: {argv: y}}}")
        wrong = self.mktemp()
        with open(wrong, "w") as file:
            file.write("services: {web: {type: command, settings: {argv: x, port: high}}}")
        self.check(
            (("load", "/nope/x"), ("/nope/x", "No such file")),
            (("load", "."), (".", "directory")),
            (("load", nonsense), (nonsense,)),
            (("load", unknown), (unknown, '"frob"', "Nothing was changed")),
            (("load", wrong), (wrong, 'service "web"', '"port"')),
        )

    def test_agent(self) -> None:
        """Without an agent there is none to stop; labels have a form."""
        self.check(
            (("stop",), (self.state_dir, "pop start")),
            (("start", "--label", "rack"), ('"rack"', "KEY=VALUE")),
            (("start", "--label", "=7"), ("KEY=VALUE",)),
        )
        self.assertFalse(os.path.exists(self.state_dir))


class MisplacedTests(SynchronousTestCase):
    """Options of pop's own behind a command."""

    def test_misplaced(self) -> None:
        """They are no typing error, but belong before it; the status is that of wrong usage."""
        command = [sys.executable, "-m", "pop", "deploy", "web", "--timeout", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("--timeout goes before the command: pop --timeout", done.stderr)
