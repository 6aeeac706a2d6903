"""What lines at the shell say, and the tables that answer them."""

from twisted.trial.unittest import SynchronousTestCase

from pop.components.shell.lines import BadLine, Words, read_line
from pop.components.shell.tables import make_table


class LineTests(SynchronousTestCase):
    """What a line says."""

    def read(self, line: str) -> Words:
        """With one variable."""
        return read_line(line, {"x": "a b", "?": 5, "a.b": "c"}.get)

    def test_words(self) -> None:
        """Words are divided by white space; quotes and backslashes keep it; # begins a comment."""
        for line, expected in (
            ("", []),
            ("  # only a comment", []),
            ("a  b\tc # d", ["a", "b", "c"]),
            ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
            ("a#b '#' ''", ["a#b", "#", ""]),
            ('"a\\"b" \'\\\'', ['a"b', "\\"]),
        ):
            self.assertEqual(Words(expected, {}), self.read(line))

    def test_named(self) -> None:
        """A name before a bare = names an argument."""
        self.assertEqual(
            Words(["f", "b\\=c".replace("\\", ""), "k=v", "(k=1)"], {"a": "1 2", "x.y": "=3"}),
            self.read("f a='1 2' b\\=c 'k=v' (k=1) x.y==3"),
        )

    def test_variables(self) -> None:
        """A variable is its value, of one word; unknown ones stay; single quotes keep them."""
        self.assertEqual(
            Words(["a b", "a by", "'5'", "$no", "$x", "a b", "$x", "c", "$"], {"k": "a b"}),
            self.read("$x ${x}y \"'$?'\" $no '$x' \"$x\" \\$x $a.b $ k=$x"),
        )

    def test_bad(self) -> None:
        """What does not end is refused."""
        for line in ("'a", '"a', "a\\", '"a\\"'):
            self.assertRaises(BadLine, self.read, line)


class TableTests(SynchronousTestCase):
    """Tables."""

    def test_table(self) -> None:
        """Columns are as wide as they have to be."""
        self.assertEqual(
            "+---+----+\n| A | B  |\n+===+====+\n| 1 | 22 |\n+---+----+",
            make_table(("A", "B"), [(1, 22)]),
        )

    def test_ragged(self) -> None:
        """A line with other cells than headers is refused."""
        self.assertRaises(ValueError, make_table, ("A", "B"), [(1,)])
        self.assertRaises(ValueError, make_table, ("A",), [(1, 2)])
