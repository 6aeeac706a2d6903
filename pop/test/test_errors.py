"""The sentences that operators read."""

import re
import string
from inspect import cleandoc

from twisted.trial.unittest import SynchronousTestCase

from pop import errors
from pop.errors import BrokenNode, MachineTaken, NotSpawned, PopError, Refused

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PopError) and kind is not PopError
]
BARE = {"reason"}
"""What may be a whole sentence of its own, which others make."""
INNER = {"hint", "why"}
"""What is added within a sentence, or is empty."""


def fields(kind: type[PopError]) -> dict[str, str]:
    """The fields of a sentence, with how each is formatted."""
    parsed = string.Formatter().parse(cleandoc(kind.__doc__ or ""))
    return {name: spec or "" for _, name, spec, _ in parsed if name}


def example(kind: type[PopError]) -> str:
    """A sentence with something in each field."""
    filled = {
        name: 1.5 if spec else "" if name in INNER else f"<{name}>"
        for name, spec in fields(kind).items()
    }
    return str(kind(**filled))


class SentenceTests(SynchronousTestCase):
    """What holds for each of them."""

    def test_there_are_some(self) -> None:
        """The table is not empty."""
        self.assertIn(BrokenNode, KINDS)

    def test_docstrings_are_sentences(self) -> None:
        """Each is one line of whole sentences, without a gap where a line ended."""
        for kind in KINDS:
            with self.subTest(kind=kind.__name__):
                said = example(kind)
                self.assertNotRegex(said, r"\n|  |\{|\}| \.")
                self.assertRegex(said.lstrip('"'), r"^[A-Z<]", kind.__name__)
                if set(fields(kind)) != BARE and kind is not errors.AgentFailed:
                    self.assertRegex(said, r'[.>"]$', kind.__name__)

    def test_no_leading_blank(self) -> None:
        """One that begins with a quotation mark begins with just that."""
        for kind in KINDS:
            self.assertEqual(example(kind).strip(), example(kind), kind.__name__)

    def test_what_to_do_next(self) -> None:
        """One that names a command of pop's quotes it, so that it can be typed as it stands."""
        for kind in KINDS:
            unquoted = re.sub(r'"[^"]*"', "", example(kind))
            self.assertNotRegex(unquoted, r"\bpop (add|set|init|deploy|start|stop|status|types)\b")

    def test_fields(self) -> None:
        """The fields are kept, for whoever wants to know more than the sentence."""
        error = BrokenNode(path="/a", reason="it is not JSON")
        self.assertEqual({"path": "/a", "reason": "it is not JSON"}, error.fields)

    def test_numbers(self) -> None:
        """Whole seconds are shown as whole."""
        said = str(MachineTaken(machine="m", pid=1, host="h", directory="/d", seconds=10.0))
        self.assertIn("wait 10 seconds", said)

    def test_braces(self) -> None:
        """What stands in a field is shown as it is, also if it has braces."""
        self.assertEqual("no {port} there.", str(NotSpawned(reason="no {port} there")))
        self.assertEqual("ZooKeeper refused: {}.", str(Refused(reason="{}")))

    def test_missing_field(self) -> None:
        """A sentence that lacks a field is a defect, not a puzzle for the operator."""
        self.assertRaises(KeyError, str, BrokenNode(path="/a"))
