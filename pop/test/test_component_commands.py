"""What the commands of the shell write, word by word."""

from textwrap import dedent

from pop.test.test_component_shell import ShellCase

TEXT = """
from pop.components import *

__version__ = "1.5"

@ComponentFactory("mine-factory")
@Requires("_x", "my.spec", spec_filter="(a=1)")
@Provides("my.other")
@Provides(["my.more", "my.most"])
@Property("_k", "k", 5)
@Property("_a", "a")
@Instantiate("mine")
class Mine:
    @Validate
    def validate(self, context):
        if self._k == "torn":
            raise ValueError("torn")
"""


class WrittenTests(ShellCase):
    """Details."""

    def setUp(self) -> None:
        super().setUp()
        self.bundle = self.install("mine", TEXT)
        self.number = self.bundle.get_bundle_id()

    def offer(self) -> int:
        """What the component requires; its number."""
        return self.context.register_service("my.spec", object(), {"a": 1}).reference.id

    def test_bundle(self) -> None:
        """Of a bundle is shown what it registered and what it uses, if anything."""
        expected = f"""\
            ID......: {self.number}
            Name....: mine
            Version.: 1.5
            State...: RESOLVED
            Location: {self.path}/mine.py
            Registered:
            \tn/a
            Uses:
            \tn/a
            """
        self.assertEqual(dedent(expected), self.said("bd mine"))
        self.said("start mine")
        number = self.offer()
        expected = f"""\
            State...: ACTIVE
            Location: {self.path}/mine.py
            Registered:
            \tServiceReference(ID={number + 1}, Bundle={self.number}, Specs=['my.other'])
            \tServiceReference(ID={number + 2}, Bundle={self.number}, Specs=['my.more', 'my.most'])
            Uses:
            \tServiceReference(ID={number}, Bundle=0, Specs=['my.spec'])
            """
        self.assertIn(dedent(expected), self.said(f"bd {self.number}"))

    def test_registration(self) -> None:
        """Of a registration are shown its properties, in order, and who uses it."""
        self.said("start mine")
        number = self.offer()
        expected = f"""\
            ID............: {number}
            Rank..........: 0
            Specifications: my.spec
            Bundle........: Bundle(ID=0, Name=pop.framework)
            Properties....:
            \ta = 1
            \tobjectClass = ('my.spec',)
            \tservice.bundleid = 0
            \tservice.id = {number}
            \tservice.ranking = 0
            \tservice.scope = singleton
            Used by:
            \tBundle(ID={self.number}, Name=mine)
            """
        self.assertEqual(dedent(expected), self.said(f"sd {number}"))
        for word in ("\N{SUPERSCRIPT TWO}", "-1", "x"):
            self.assertIn("There is no registration", self.said(f"sd {word}", well=False))

    def test_factory(self) -> None:
        """Of a factory is shown what it declares, and nothing where it declares nothing."""
        self.said("start mine")
        expected = f"""\
            Name  : mine-factory
            Bundle: Bundle(ID={self.number}, Name=mine)
            Properties:
            \t+-----+---------------+
            \t| Key | Default value |
            \t+=====+===============+
            \t| a   | None          |
            \t+-----+---------------+
            \t| k   | 5             |
            \t+-----+---------------+
            Requirements:
            \t+----+---------------+--------+-----------+----------+
            \t| ID | Specification | Filter | Aggregate | Optional |
            \t+====+===============+========+===========+==========+
            \t| _x | my.spec       | (a=1)  | False     | False    |
            \t+----+---------------+--------+-----------+----------+
            Provided services:
            \tmy.other
            \tmy.more, my.most
            """
        self.assertEqual(dedent(expected), self.said("factory mine-factory"))
        self.assertNotIn("Properties:", self.said("factory ipopo-shell-commands-factory"))

    def test_component(self) -> None:
        """Of a component that failed the reason is shown; of one that is valid, what it has
        registered, and no reason."""
        self.said("start mine")
        number = self.offer()
        expected = f"""\
            Name.....: mine
            Factory..: mine-factory
            Bundle ID: {self.number}
            State....: VALID
            Services.:
            \tServiceReference(ID={number + 1}, Bundle={self.number}, Specs=['my.other'])
            \tServiceReference(ID={number + 2}, Bundle={self.number}, Specs=['my.more', 'my.most'])
            Dependencies:
            \tField: _x
            """
        self.assertIn(dedent(expected), self.said("instance mine"))
        self.assertNotIn("Error:", self.said("instance mine"))
        self.assertEqual("Component 'mine' killed.\n", self.said("kill mine"))
        said = self.said("instantiate mine-factory torn k=torn")
        self.assertEqual("Component 'torn' instantiated.\n", said)
        said = self.said("instance torn")
        self.assertIn("State....: ERRONEOUS\n", said)
        self.assertIn("Error:\nTraceback", said)
        self.assertTrue(said.endswith("ValueError: torn\n"))
        self.assertEqual("Component 'torn' is VALID.\n", self.said("retry torn k=1"))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_help(self) -> None:
        """All commands are listed by namespace, or those of one, or one is explained; of two names
        for one thing either will do."""
        said = self.said("help")
        places = [said.index(f"* Namespace '{name}':\n") for name in ("default", "event", "ipopo")]
        self.assertEqual(sorted(places), places)
        self.assertEqual(said, self.said("?"))
        listed = self.said("help event")
        self.assertIn(listed, said)
        self.assertTrue(
            listed.startswith("- event.post <topic> [<values> ...] [<property>=<value> ...]\n")
        )
        self.assertEqual("Usage: unset <name>\n\nForget a variable\n", self.said("help unset"))
        self.assertEqual(self.said("help quit").replace("quit", "exit"), self.said("help exit"))
        self.assertIn("no command", self.said("help no.such", well=False))

    def test_variables(self) -> None:
        """Variables are listed in order; what is echoed is what was written, the named last."""
        self.assertEqual("", self.said("set b=2 a=1"))
        self.assertEqual("a=1\nb=2\n", self.said("set"))
        self.assertEqual("x y k=v\n", self.said("echo x k=v y"))

    def test_hidden(self) -> None:
        """What is secret, or hidden by a dot before its name, is not shown."""
        self.framework.add_property("pop.remote.secret", "abc")
        self.framework.add_property(".token", "abc")
        for line in ("properties", "property pop.remote.secret", "property .token"):
            said = self.said(line)
            self.assertIn("***", said)
            self.assertNotIn("abc", said)

    def test_found(self) -> None:
        """Lists are of those whose names contain a text, and are counted."""
        self.said("start mine")
        for line, expected in (
            ("bl mine", "1 bundle installed\n"),
            ("bl no.such", "0 bundles installed\n"),
            ("factories mine", "1 factory available\n"),
            ("factories no.such", "0 factories available\n"),
            ("instances mine", "1 component running\n"),
            ("waiting mine", "0 components in the waiting queue\n"),
            ("sl my.spec", "0 registrations\n"),
        ):
            self.assertTrue(self.said(line).endswith(f"+\n{expected}"), line)
        self.assertNotIn("shell", self.said("bl mine"))

    def test_installed_by_name(self) -> None:
        """What is started by a name that is not installed yet is installed first; a number is
        not, and the first that fails is the last."""
        said = self.said("start json mine")
        self.assertEqual(
            f"Bundle ID: {self.number + 1}\nStarting bundle {self.number + 1} (json)...\n"
            f"Starting bundle {self.number} (mine)...\n",
            said,
        )
        self.said("start 999 mine", well=False)
        self.write("mine", "1 +")
        said = self.said("update mine json", well=False)
        self.assertIn(f"Updating bundle {self.number} (mine)...\nThe bundle mine goes on", said)
        self.assertNotIn("json", said)
        self.assertEqual(
            f"Uninstalling bundle {self.number + 1} (json)...\n", self.said("uninstall json")
        )
