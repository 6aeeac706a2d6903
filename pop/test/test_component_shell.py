"""The shell: commands, and what they do."""

from typing import Any

from twisted.internet.defer import Deferred

from pop.components.shell.commands import SERVICE_SHELL_COMMAND
from pop.components.shell.core import SERVICE_SHELL, Shell
from pop.components.shell.session import Session
from pop.test.bundles import BundleCase

BUNDLES = (
    "pop.components.ipopo",
    "pop.components.eventadmin",
    *(
        f"pop.components.shell.{name}"
        for name in ("core", "bundles", "registrations", "environment", "events", "ipopo")
    ),
)


class ShellCase(BundleCase):
    """A framework with a shell, and somebody at it."""

    def setUp(self) -> None:
        super().setUp()
        for name in BUNDLES:
            self.done(self.context.install_bundle(name).start())
        reference = self.context.get_service_reference(SERVICE_SHELL)
        assert reference is not None
        self.shell: Shell = self.context.get_service(reference)
        self.written: list[str] = []
        self.session = Session(self.written.append)

    def execute(self, line: str) -> bool:
        """Whether a line went well."""
        result: bool = self.done(Deferred.fromCoroutine(self.shell.execute(line, self.session)))
        return result

    def said(self, line: str, well: bool = True) -> str:
        """What a line has written."""
        self.written.clear()
        self.assertEqual(well, self.execute(line), "".join(self.written))
        return "".join(self.written)


class CoreTests(ShellCase):
    """Commands."""

    def contribute(self, namespace: str, **methods: Any) -> Any:
        """Register commands."""

        class Contribution:
            def get_namespace(self) -> str:
                return namespace

            def get_methods(self) -> list[tuple[str, Any]]:
                return list(methods.items())

        return self.context.register_service(SERVICE_SHELL_COMMAND, Contribution())

    def test_empty(self) -> None:
        """An empty line does nothing, and neither does an unknown command."""
        self.assertEqual("", self.said("", well=False))
        self.assertIn('no command "nonsense"', self.said("nonsense", well=False))
        self.assertIn("No closing", self.said("echo 'x", well=False).replace("There is n", "N"))

    def test_usage(self) -> None:
        """Who calls a command with what it does not take is told what it takes."""

        def command(session: Session, a: str, b: str = "x", *c: str, **d: str) -> None:
            """Says nothing."""

        self.contribute("n", command=command)
        usage = "Usage: n.command <a> [<b>=x] [<c> ...] [<property>=<value> ...]\n"
        self.assertEqual(usage, self.said("n.command", well=False))
        self.assertIn(usage, self.said("help n.command"))
        self.assertIn("Says nothing.", self.said("help n.command"))

    def test_namespaces(self) -> None:
        """A bare name will do where it is clear; the default namespace comes first."""

        def one(session: Session) -> str:
            return "one"

        def other(session: Session) -> str:
            return "other"

        self.contribute("a", both=one, echo=one, alone=one)
        self.contribute("b", both=other)
        self.said("ALONE")
        self.assertEqual("one", self.session.last_result)
        self.said("B.Both")
        self.assertEqual("other", self.session.last_result)
        self.assertIn("a.both, b.both", self.said("both", well=False))
        self.assertEqual("x\n", self.said("echo x"))

    def test_taken(self) -> None:
        """The first command of a name stays; those of who leaves are gone."""

        def one(session: Session) -> str:
            return "one"

        first = self.contribute("a", c=one, d=one)
        second = self.contribute("a", c=lambda session: "other")
        self.said("a.c")
        self.assertEqual("one", self.session.last_result)
        second.unregister()
        self.said("a.c")
        first.unregister()
        self.said("a.c", well=False)

    def test_torn(self) -> None:
        """A contribution that fails contributes nothing; the shell, and the others, do not care."""

        class Torn:
            def get_namespace(self) -> str:
                raise ValueError("torn")

        registration = self.context.register_service(SERVICE_SHELL_COMMAND, Torn())
        bundle = self.framework.get_bundle_by_name("pop.components.shell.core")
        assert bundle is not None
        self.done(bundle.stop())
        self.assertTrue(self.done(bundle.start()))
        registration.unregister()
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))

    def test_result(self) -> None:
        """$? is what a command gave last that gave anything."""
        self.said("echo hello there")
        self.said("set x=1")
        self.assertEqual("hello there\n", self.said("echo $?"))

    def test_failure(self) -> None:
        """A command that raises is said to, and has failed."""
        self.contribute("a", c=lambda session: 1 / 0)
        self.assertIn("a.c failed: ZeroDivisionError", self.said("c", well=False))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_asynchronous(self) -> None:
        """A command that takes its time is waited for, without a limit."""
        waiting: Deferred[None] = Deferred()
        self.contribute("a", c=lambda session: waiting)
        execution = Deferred.fromCoroutine(self.shell.execute("c", self.session))
        self.clock.advance(1000)
        self.assertNoResult(execution)
        waiting.callback(None)
        self.assertTrue(self.done(execution))

    def test_prompt(self) -> None:
        """Where nobody can be asked, a command that asks has failed."""
        self.contribute("a", c=lambda session: session.prompt("Sure? "))
        self.assertIn("Nobody can be asked", self.said("c", well=False))

    def test_variables(self) -> None:
        """Variables are set, listed, and forgotten; the framework's properties are known, too."""
        self.framework.add_property("fp", "there")
        self.said("set x=1 y='2 3'")
        self.assertEqual("x=1\ny=2 3\n", self.said("set"))
        self.assertEqual("1 there $no\n", self.said("echo $x $fp $no"))
        self.said("unset x")
        self.assertIn("no variable x", self.said("unset x", well=False))

    def test_run(self) -> None:
        """A file of commands is carried out up to the first that fails."""
        path = self.path / "commands"
        path.write_text("# first\n\necho one\nunset no\necho two\n")
        said = self.said(f"run {path}", well=False)
        self.assertIn("one", said)
        self.assertNotIn("two", said)
        self.assertIn("cannot be read", self.said("run /no/such/file", well=False))

    def test_quit(self) -> None:
        """Who quits wants to go."""
        self.said("quit")
        self.assertTrue(self.session.leave)


class CommandTests(ShellCase):
    """What comes with it."""

    def test_circle(self) -> None:
        """Of components that wait for each other it is said that they do. (iPOPO says nothing.)"""
        text = """
            from pop.components import ComponentFactory, Instantiate, Provides, Requires

            @ComponentFactory("one-factory")
            @Provides("one")
            @Requires("_two", "two")
            @Instantiate("one")
            class One: ...

            @ComponentFactory("two-factory")
            @Provides("two")
            @Requires("_one", "one")
            @Instantiate("two")
            class Two: ...
            """
        self.done(self.install("circle", text).start())
        said = self.said("instance one")
        self.assertIn("Why......:\n\t_two: nobody provides two", said)
        self.assertIn("one requires two (_two), and two requires one (_one)", said)

    def test_bundles(self) -> None:
        """Bundles are installed, started, listed, shown, stopped and uninstalled."""
        number = len(BUNDLES) + 1
        self.write("b", "__version__ = '1.5'")
        self.assertEqual(f"Bundle ID: {number}\n", self.said(f"install b '{self.path}'"))
        self.assertEqual(f"Starting bundle {number} (b)...\n", self.said("start $?"))
        self.assertIn(f"| {number}  | b", self.said("bl b").replace("| 9 ", "| 9 "[:4]))
        self.assertIn("Version.: 1.5", self.said("bd b"))
        self.assertIn("State...: ACTIVE", self.said(f"bd {number}"))
        self.said("stop b")
        self.assertIn("State...: RESOLVED", self.said("bd b"))
        self.said("uninstall b")
        self.assertIn("There is no bundle b.", self.said("bd b", well=False))
        reason = "ModuleNotFoundError: No module named 'no_such'"
        expected = f"The bundle no_such cannot be imported: {reason}.\n"
        self.assertEqual(expected, self.said("install no_such", well=False))

    def test_first_failure(self) -> None:
        """Several are taken one after the other, up to the first that fails."""
        said = self.said("stop 2 999 1", well=False)
        self.assertIn("There is no bundle 999.", said)
        self.assertNotIn("bundle 1 ", said)

    def test_registrations(self) -> None:
        """What is registered is listed and shown."""
        reference = self.context.register_service("my.spec", object(), {"k": 1}).reference
        self.assertIn("my.spec", self.said("sl"))
        self.assertIn("1 registration\n", self.said("sl my.spec"))
        self.assertIn("1 registration\n", self.said("sl (k=1)"))
        self.assertIn("k = 1", self.said(f"sd {reference.id}"))
        self.assertIn("no registration 999", self.said("sd 999", well=False))
        self.assertIn("cannot be read", self.said("sl (k", well=False))

    def test_environment(self) -> None:
        """Properties and threads are listed."""
        self.framework.add_property("my.property", "is mine")
        self.assertIn("is mine", self.said("properties"))
        self.assertEqual("is mine\n", self.said("property my.property"))
        self.assertIn("no property no.such", self.said("property no.such", well=False))
        self.assertIn("no variable NO_SUCH", self.said("sysprop NO_SUCH", well=False))
        self.assertIn("MainThread", self.said("threads"))
        self.said("threads x", well=False)
        self.said("thread 0", well=False)
        self.assertTrue(self.said("pwd"))
        self.assertIn("PATH", self.said("sysprops"))
        self.assertTrue(self.said("sysprop PATH"))

    def test_events(self) -> None:
        """Events are sent and posted."""
        told: list[Any] = []

        class Handler:
            def handle_event(self, topic: str, properties: dict[str, Any]) -> None:
                told.append((topic, properties["k"]))

        self.context.register_service(
            "pelix.services.eventadmin.handler", Handler(), {"event.topics": "*"}
        )
        self.said("event.send a/b k=1")
        self.said("event.post a/c k=2")
        self.clock.advance(0)
        self.assertEqual([("a/b", "1"), ("a/c", "2")], told)
        self.said("stop 2")
        self.assertIn("Nobody hands events on", self.said("send a k=1", well=False))

    def test_why_not(self) -> None:
        """A component that is not valid says why, also if nobody has what it is declared with."""
        text = """
            from pop.components import (
                ComponentFactory, Instantiate, Provides, Requires, RequiresConfiguration, Validate
            )
            from pop.interfaces import ISettings

            @ComponentFactory()
            @Requires("_x", "my.spec")
            @Instantiate("lacks")
            class Lacking:
                pass

            @ComponentFactory()
            @RequiresConfiguration("x")
            @Instantiate("waits")
            class Waiting:
                pass

            @ComponentFactory()
            @Provides(ISettings)
            @Instantiate("lies")
            class Liar:
                pass

            @ComponentFactory()
            @Instantiate("fails")
            class Failing:
                @Validate
                def validate(self, context):
                    raise ValueError("broken")
            """
        self.done(self.install("mine", text).start())
        self.assertIn("Why......:\n\t_x: nobody provides my.spec\n", self.said("instance lacks"))
        self.assertIn(
            "Why......:\n\tno bundle has what it is declared with: ipopo.configadmin "
            "(start the bundle pop.components.configuration)\n",
            self.said("instance waits"),
        )
        self.assertNotIn("Why", self.said("instance fails"))
        self.assertIn("Error:", self.said("instance fails"))
        self.flushLoggedErrors()
        shown = self.said("instance lies")
        self.assertIn("Why......:\n\twhat it provides was refused", shown)
        self.assertNotIn("Error:", shown)

    def test_why_no_more(self) -> None:
        """One that failed, and then lost what it requires, says that, beside its last failure."""
        text = """
            from pop.components import ComponentFactory, Instantiate, Requires, Validate

            @ComponentFactory()
            @Requires("_x", "my.spec")
            @Instantiate("fails")
            class Failing:
                @Validate
                def validate(self, context):
                    raise ValueError("broken")
            """
        self.done(self.install("mine", text).start())
        registration = self.framework.get_bundle_context().register_service("my.spec", 1, {})
        self.assertIn("State....: ERRONEOUS", self.said("instance fails"))
        self.flushLoggedErrors(ValueError)
        registration.unregister()
        shown = self.said("instance fails")
        self.assertIn("Why......:\n\t_x: nobody provides my.spec\n", shown)
        self.assertIn("ValueError: broken", shown)

    def test_components(self) -> None:
        """Components are made, shown, and killed."""
        text = """
            from pop.components import ComponentFactory, Property, Requires, Provides

            @ComponentFactory("my-factory")
            @Requires("_x", "my.spec", optional=True)
            @Provides("my.other")
            @Property("_k", "k", 5)
            class Mine:
                pass
            """
        self.done(self.install("mine", text).start())
        self.assertIn("my-factory", self.said("factories"))
        self.assertIn("my.spec", self.said("factory my-factory"))
        self.said("instantiate my-factory one k=6")
        self.assertIn("| one", self.said("instances one"))
        shown = self.said("instance one")
        for part in ("State....: VALID", "Field: _x", "| k ", "| 6", "my.other"):
            self.assertIn(part, shown)
        self.assertIn("VALID", self.said("retry one"))
        self.assertIn("1 component running", self.said("instances one"))
        self.assertIn("0 components in the waiting queue", self.said("waiting"))
        self.said("kill one")
        self.assertIn("0 components running", self.said("instances one"))
        self.assertNotIn("Why", shown)
        for line in ("kill one", "instance one", "factory no", "instantiate no one", "retry one"):
            self.assertIn("There is no", self.said(line, well=False))
