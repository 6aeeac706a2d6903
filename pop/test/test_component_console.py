"""C{python -m pop.components}, as a process; and the files that it begins with."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from pop.components.initfile import BadInitFile, Component, Init, read

TORN = """
from pop.components import ComponentFactory, Instantiate, Provides, Requires

@ComponentFactory("torn")
@Instantiate("torn-1")
class Torn:
    def __init__(self):
        raise ValueError("oops")

@ComponentFactory("one")
@Provides("one")
@Requires("it", "two")
@Instantiate("one")
class One: ...

@ComponentFactory("two")
@Provides("two")
@Requires("it", "one")
@Instantiate("two")
class Two: ...
"""
PROVIDER = """
from pop.components import ComponentFactory, Provides, Instantiate

@ComponentFactory("hello-provider-factory")
@Provides("sample.hello")
@Instantiate("hello-provider-auto")
class HelloProvider(object):
    def hello(self, name="world"):
        print("Hello,", name, "!")
    def bye(self, name="cruel world"):
        print("Bye,", name, "!")
"""
CONSUMER = """
from pop.components import ComponentFactory, Requires, Instantiate, Validate, Invalidate

@ComponentFactory("hello-consumer-factory")
@Requires("_svc", "sample.hello")
@Instantiate("hello-consumer-auto")
class HelloConsumer(object):
    def __init__(self):
        self._svc = None
    @Validate
    def validate(self, context):
        self._svc.hello("Consumer")
    @Invalidate
    def invalidate(self, context):
        self._svc.bye("Consumer")
"""
EDIT = """
from pathlib import Path
from pop.components.bundle import BundleActivator

class Edit:
    def get_namespace(self):
        return "test"
    def get_methods(self):
        return [("edit", self.edit)]
    def edit(self, session):
        path = Path("provider.py")
        path.write_text(path.read_text().replace("Hello,", "Hi,"))

@BundleActivator
class Activator:
    def start(self, context):
        context.register_service("pelix.shell.command", Edit())
"""


class ConsoleCase(SynchronousTestCase):
    """A directory to run it in."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.mkdir()
        (self.path / "provider.py").write_text(PROVIDER)
        (self.path / "consumer.py").write_text(CONSUMER)

    def run_console(self, *arguments: str, commands: str = "", status: int = 0) -> tuple[str, str]:
        """What it prints, and what it complains of."""
        done = subprocess.run(
            [sys.executable, "-m", "pop.components", *arguments],
            input=dedent(commands),
            cwd=self.path,
            env={**os.environ, "POP_SHELL_HISTORY": str(self.path / "history")},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return done.stdout, done.stderr


class ConsoleTests(ConsoleCase):
    """A framework with commands from the standard input."""

    def test_trace(self) -> None:
        """The sample says what it has always said: started, looked at, and updated."""
        (self.path / "edit.py").write_text(EDIT)
        said, _ = self.run_console(
            commands="""
            # Install the bundles
            install provider
            install consumer
            # Start the bundles (the order isn't important here)
            start 11 12
            # View iPOPO instances
            instances
            # View details about the consumer
            instance hello-consumer-auto
            start edit
            edit
            # Update the provider bundle (ID: 11)
            update 11
            """
        )
        for expected in (
            """
            Bundle ID: 11
            Bundle ID: 12
            Starting bundle 11 (provider)...
            Starting bundle 12 (consumer)...
            Hello, Consumer !
            """,
            "| hello-consumer-auto  | hello-consumer-factory       | VALID |",
            "| ipopo-shell-commands | ipopo-shell-commands-factory | VALID |",
            "3 components running",
            """
            Name.....: hello-consumer-auto
            Factory..: hello-consumer-factory
            Bundle ID: 12
            State....: VALID
            """,
            "ServiceReference(ID=11, Bundle=11, Specs=['sample.hello'])",
            """
            Updating bundle 11 (provider)...
            Bye, Consumer !
            Hi, Consumer !
            """,
        ):
            self.assertIn(dedent(expected).strip(), said)

    def test_either_order(self) -> None:
        """The order in which bundles start does not matter."""
        said, _ = self.run_console("consumer", "provider", commands="echo done")
        self.assertEqual("Hello, Consumer !\ndone\nBye, Consumer !\n", said)

    def test_does_not_start(self) -> None:
        """A bundle that does not start is named, with its reason; the others do."""
        (self.path / "broken.py").write_text(
            "from pop.components.bundle import BundleActivator\n"
            "@BundleActivator\n"
            "class Activator:\n"
            "    def start(self, context):\n"
            "        raise OSError('out of order')\n"
        )
        said, trouble = self.run_console("broken", "provider", "consumer", commands="echo done")
        self.assertEqual("Hello, Consumer !\ndone\nBye, Consumer !\n", said)
        self.assertIn("The bundle broken did not start: OSError: out of order", trouble)

    def test_first_failure(self) -> None:
        """The first command that fails is the last, and the status says so."""
        said, _ = self.run_console(commands="echo one\nnonsense\necho two", status=1)
        self.assertIn("one", said)
        self.assertNotIn("two", said)

    def test_complains(self) -> None:
        """What goes wrong though no command has failed is complained of, by name."""
        (self.path / "torn.py").write_text(TORN)
        said, complained = self.run_console(commands="start torn")
        self.assertIn("Starting bundle 11 (torn)...\n", said)
        for expected in (
            "The component torn-1 cannot be made by the factory torn: ValueError: oops",
            "two requires one (it), and one requires two (it)",
        ):
            self.assertIn(expected, complained)
        self.assertNotIn("Traceback", complained)

    def test_run(self) -> None:
        """Commands may come from a file."""
        (self.path / "commands").write_text("echo $fp\nquit\necho two\n")
        said, _ = self.run_console("--run", "commands", "-D", "fp=there")
        self.assertEqual("there\n", said)

    def test_refused(self) -> None:
        """What cannot be is said in a sentence, without a trace of Python."""
        (self.path / "broken.py").write_text("1 / 0")
        for arguments, words in (
            (["no.such.bundle"], "cannot be imported"),
            (["broken"], "ZeroDivisionError"),
            (["--init", "no.json"], "No such file"),
            (["--run", "no.such.file"], "No such file"),
            (["--listen", "tcp:9000"], "may not listen"),
            (["--listen", "tcp:x:interface=127.0.0.1"], "it should be like"),
            (["--listen", "unix:/no/such/directory/x"], "No such file"),
            (["--listen", "unix:x", "--auth", "nobody"], "Nobody can be let in"),
        ):
            _, complaint = self.run_console(*arguments, status=1)
            self.assertIn(words, complaint)
            self.assertNotIn("Traceback", complaint)
        _, complaint = self.run_console("-D", "x", status=2)
        self.assertIn("NAME=VALUE", complaint)

    def test_init(self) -> None:
        """A file may say what to begin with."""
        (self.path / "init.yaml").write_text(
            dedent(
                """
                properties: {greeting: Welcome}
                bundles: [provider, consumer]
                components:
                  - {factory: hello-consumer-factory, name: another, properties: {k: 1}}
                """
            )
        )
        said, _ = self.run_console(
            "--init", "init.yaml", commands="echo $greeting\ninstance another"
        )
        self.assertIn("Hello, Consumer !\nHello, Consumer !\nWelcome\n", said)
        self.assertIn("| k ", said)

    def test_listen(self) -> None:
        """The shell may be reached by others, who find what is there."""
        self.run_console("--listen", "unix:shell.sock:mode=600", commands="run commands", status=1)
        self.assertFalse((self.path / "shell.sock").exists())


class InitTests(SynchronousTestCase):
    """Files that say what to begin with."""

    def write(self, said: object, name: str = "init.json") -> str:
        """A file."""
        path = Path(self.mktemp())
        path.mkdir(parents=True)
        (path / name).write_text(said if isinstance(said, str) else json.dumps(said))
        return str(path / name)

    def test_nothing(self) -> None:
        """Nothing is said by no file, and by an empty object."""
        self.assertEqual(Init(), read([]))
        self.assertEqual(Init(), read([self.write({})]))
        self.assertEqual(Init(), read([self.write("# bundles: [p]", "init.yaml")]))

    def test_merge(self) -> None:
        """Later ones add to earlier ones and win over them; each path and bundle is there once."""
        first = {
            "properties": {"a": 1, "b": 1},
            "environment": {"E": 5},
            "paths": ["/x"],
            "bundles": ["p", "q"],
            "components": [{"factory": "f", "name": "n"}],
        }
        second = {
            "properties": {"b": 2},
            "paths": ["/y", "/x"],
            "bundles": ["q", "r"],
            "components": [{"factory": "f", "name": "m", "properties": {"k": 1}}],
        }
        self.assertEqual(
            Init(
                {"a": 1, "b": 2},
                {"E": "5"},
                ("/x", "/y"),
                ("p", "q", "r"),
                (Component("f", "n", {}), Component("f", "m", {"k": 1})),
            ),
            read([self.write(first), self.write(second)]),
        )

    def test_reset(self) -> None:
        """A part may be started anew."""
        said = {
            "properties": {"a": 1},
            "environment": {"E": "1"},
            "paths": ["/x"],
            "bundles": ["p"],
            "components": [{"factory": "f", "name": "n"}],
        }
        first, both = self.write(said), read([self.write(said)])
        for name in said:
            second = self.write({f"reset_{name}": True})
            self.assertEqual(replace(both, **{name: getattr(Init(), name)}), read([first, second]))
            self.assertEqual(both, read([first, self.write({f"reset_{name}": False})]))
        second = self.write({"reset_bundles": True, "bundles": ["q"]})
        self.assertEqual(("q",), read([first, second]).bundles)

    def test_refused(self) -> None:
        """What is not as it should be is refused, and the file is named."""
        said: object
        for said in (
            "{",
            "[]",
            {"bundle": []},
            {"bundles": "p"},
            {"components": [{"factory": "f"}]},
            {"components": ["f"]},
            {"components": [{"factory": "f", "name": "n", "properties": []}]},
        ):
            path = self.write(said)
            self.assertIn(path, str(self.assertRaises(BadInitFile, read, [path])))
        self.assertRaises(BadInitFile, read, [self.write("a: [", "init.yaml")])
        self.assertRaises(BadInitFile, read, ["/no/such/file"])
