"""Where things lie, and what may be a name."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.errors import BadName, BadPrefix
from pop.paths import LONGEST_NAME, TABLE, Paths, check_name
from txzookeeper.errors import BadArgumentsException
from txzookeeper.path import check_path


class NameTests(SynchronousTestCase):
    """Names of services and machines."""

    def test_good(self) -> None:
        """A name that can be a znode, a file and an argument is taken as it is."""
        for name in ("web", "web-1", "web.example.org", "a_b", "Zürich", "4", "a b", "日本"):
            self.assertEqual(name, check_name("service", name))

    def test_bad(self) -> None:
        """Each other one is refused with the reason."""
        for name, reason in (
            ("", "it is empty"),
            (".", "ZooKeeper keeps . and .. for itself"),
            ("..", "ZooKeeper keeps . and .. for itself"),
            ("a/b", "it has a slash"),
            ("-v", "it begins with -"),
            (".hidden", "it begins with ."),
            ("a\nb", "it has characters that cannot be printed"),
            ("a\0", "it has characters that cannot be printed"),
            ("\ud800", "it has characters that cannot be printed"),
            ("\N{ZERO WIDTH SPACE}", "it has characters that cannot be printed"),
            ("ü" * 101, "it is longer than 200 bytes"),
        ):
            with self.subTest(name=name):
                error = self.assertRaises(BadName, check_name, "service", name)
                shown = name if name.isprintable() else ascii(name)[1:-1]
                self.assertEqual(
                    f'"{shown}" cannot be the name of a service: {reason}.', str(error)
                )

    def test_kind(self) -> None:
        """The sentence says what was to be named."""
        error = self.assertRaises(BadName, check_name, "machine", "a/b")
        self.assertIn("the name of a machine", str(error))

    def test_longest(self) -> None:
        """The longest name still makes a file name with something behind it."""
        self.assertEqual(200, len(check_name("service", "x" * LONGEST_NAME)))

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=5) | st.sampled_from(["\N{FOX FACE}", "\ufffd", "\ue000", "\x85"]))
    def test_znodes(self, name: str) -> None:
        """What is taken for a name, ZooKeeper takes for a node."""
        try:
            check_name("service", name)
        except BadName:
            return
        try:
            check_path(Paths().settings(name))
        except BadArgumentsException as error:
            self.fail(f"{name!r} is no znode: {error}")


class PrefixTests(SynchronousTestCase):
    """Under which everything lies."""

    def test_root(self) -> None:
        """Without a prefix everything lies at the root."""
        self.assertEqual(("/", "/services/web"), (Paths().root, Paths().service("web")))

    def test_prefix(self) -> None:
        """A prefix comes before everything, with or without a slash at its end."""
        for prefix in ("/a/pop", "/a/pop/"):
            paths = Paths(prefix)
            self.assertEqual("/a/pop", paths.root)
            self.assertEqual(("/a/pop/machines", "/a/pop/services", "/a/pop/agents"), paths.roots)

    def test_bad(self) -> None:
        """A prefix that cannot be a path is refused with the reason."""
        for prefix, reason in (
            ("", "it does not begin with a slash"),
            ("pop", "it does not begin with a slash"),
            ("/a//b", "it has //"),
            ("/a/../b", "ZooKeeper keeps . and .. for itself"),
            ("/a\n", "it has characters that cannot be printed"),
        ):
            with self.subTest(prefix=prefix):
                error = self.assertRaises(BadPrefix, Paths, prefix)
                shown = prefix.replace("\n", "\\n")
                self.assertEqual(
                    f'"{shown}" cannot be a path prefix: {reason}. Write it like /pop.', str(error)
                )


class TableTests(SynchronousTestCase):
    """The table of znodes, which is a promise."""

    def test_paths(self) -> None:
        """Each row of the table is where the code puts it, and each path is in the table."""
        paths, machine, service = Paths(), "<machine-id>", "<service>"
        spelled = {
            paths.machine(machine),
            paths.pid(machine, service),
            paths.service(service),
            paths.type(service),
            paths.placement(service),
            paths.settings(service),
            paths.target(service),
            paths.state(service, machine),
            paths.status(service, machine),
            paths.run(service, "<run>"),
            paths.going(service, "<run>"),
            paths.lock(service),
            paths.agent(machine),
            paths.authority,
            paths.roll(service),
            paths.place(service, machine),
        }
        self.assertEqual(spelled, {row.path for row in TABLE})

    def test_parents(self) -> None:
        """The parents of what comes and goes are where their children are."""
        paths = Paths("/pop")
        self.assertEqual("/pop/services/web/state/m1", f"{paths.states('web')}/m1")
        self.assertEqual(paths.state("web", "m1"), f"{paths.states('web')}/m1")
        self.assertEqual(paths.status("web", "m1"), f"{paths.statuses('web')}/m1")

    def test_rows(self) -> None:
        """Each row says how long it lasts, and what has data, in which format."""
        for row in TABLE:
            self.assertIn(row.kind, ("persistent", "ephemeral", "container"))
            self.assertEqual(bool(row.data), bool(row.format))
            self.assertTrue(re.fullmatch(r"(/[a-z]+|/<[a-z-]+>)+", row.path), row.path)
