"""Placeholders in command lines and in the descriptions of health checks."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.errors import BadSetting
from pop.placeholders import check, words

KNOWN: dict[str, Any] = {
    "service": "web",
    "port": 80,
    "share": 0.5,
    "name": "two words",
    "none": None,
    "map": {"a": "b"},
}


class PlaceholderTestCase(SynchronousTestCase):
    """Settings of the type command."""

    def words(self, line: str) -> tuple[str, ...]:
        """The words of a command line."""
        return words("command", "argv", line, KNOWN)

    def check(self, text: str) -> str:
        """A check, filled in."""
        return check("command", "readiness", text, KNOWN)


class WordsTests(PlaceholderTestCase):
    """Command lines."""

    def test_within_its_word(self) -> None:
        """A value stays within the word that its placeholder stands in, whatever is in it."""
        self.assertEqual(
            ("say", "two words", "--as=two words", "'"), self.words('say {name} --as={name} "\'"')
        )

    def test_split_first(self) -> None:
        """A placeholder in quotes is one as well; what it stands for is not split again."""
        self.assertEqual(("a b web", "80", "0.5"), self.words("'a b {service}' {port} {share}"))

    def test_braces(self) -> None:
        """A brace itself is written twice."""
        self.assertEqual(("{port}", "{}"), self.words("{{port}} {{}}"))

    def test_refused(self) -> None:
        """What has no value is named, and so is what cannot be split; the setting is shown."""
        for line, reason in (
            ("run {prot}", "there is no value for {prot}"),
            ("run {none}", "there is no value for {none}"),
            ("run {port:>8}", "there is no value for {port}"),
            ("run {port!r}", "there is no value for {port}"),
            ("run {}", "there is no value for {}"),
            ("run {map}", "{map} is neither a text nor a number"),
            ("run {port", "it cannot be split"),
            ("run 'x", "it cannot be split"),
            (" ", "it is empty"),
        ):
            error = str(self.assertRaises(BadSetting, self.words, line))
            for part in ("argv", repr(line), reason):
                self.assertIn(part, error, line)


class CheckTests(PlaceholderTestCase):
    """Health checks."""

    def test_filled(self) -> None:
        """An address is filled in as it stands."""
        self.assertEqual("tcp:80", self.check("tcp:{port}"))
        self.assertEqual("http://localhost:80/web", self.check("http://localhost:{port}/{service}"))

    def test_command(self) -> None:
        """In a command each value stays within its word, through all that reads it later."""
        self.assertEqual("command:probe 'two words' 80", self.check("command:probe {name} {port}"))

    def test_refused(self) -> None:
        """What describes no check once it is filled in is refused as it is then."""
        for text, part in (
            ("tcp:{name}", "'tcp:two words'"),
            ("tcp:{none}", "there is no value for {none}"),
            ("command:", "it is empty"),
        ):
            self.assertIn(part, str(self.assertRaises(BadSetting, self.check, text)), text)
