"""Command lines made from what tasks say of their arguments."""

from typing import Any

import click
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.schema import Bool, Dict, Int, List, TextLine

from pop.cli.arguments import given_arguments, read_arguments, task_command, usage, words_of
from pop.errors import BadArgument
from pop.tasks import Task


class IMove(Interface):
    """What to move where."""

    sources = List(title="What to move", value_type=TextLine(), min_length=1)
    target = TextLine(title="Where to")
    count = Int(title="How many", max=9, default=1)
    marks = Dict(title="Marks", key_type=TextLine(), value_type=TextLine(), required=False)
    machine = TextLine(title="By which machine", required=False)
    force = Bool(title="Whatever is there", default=False)


MOVE = Task("move", "Move things.", IMove, help="SOURCES are moved to TARGET.")


def read(*words: str) -> dict[str, Any]:
    """What is understood."""
    return read_arguments("web", MOVE, list(words))


class ArgumentsTests(SynchronousTestCase):
    """What is typed becomes values."""

    def test_all(self) -> None:
        """Places, a collection before another, options that are repeated, and switches."""
        found = read("a", "b", "c", "--marks", "x=1", "--marks", "y=2", "--force", "--count", "2")
        marks = {"x": "1", "y": "2"}
        expected = {"sources": ["a", "b"], "target": "c", "count": 2, "marks": marks}
        self.assertEqual({**expected, "machine": None, "force": True}, found)

    def test_defaults(self) -> None:
        """What is not given is as the schema says."""
        found = read("a", "b", "--no-force")
        self.assertEqual((1, None, False), (found["count"], found["marks"], found["force"]))

    def test_usage(self) -> None:
        """Too few are wrong usage, and so is one that is not known."""
        self.assertRaises(click.UsageError, read)
        self.assertRaises(click.UsageError, read, "a", "b", "--no-such")

    def test_too_few(self) -> None:
        """A collection may be asked to have some."""
        error = self.assertRaises(BadArgument, read, "a")
        self.assertIn('The argument "sources" of the task "move" cannot be', str(error))

    def test_refused(self) -> None:
        """A value that makes no sense is refused with the reason."""
        error = self.assertRaises(BadArgument, read, "a", "b", "--count=10")
        expected = (
            'The argument "count" of the task "move" cannot be \'10\': it should be at most 9.'
        )
        self.assertEqual(expected, str(error))

    def test_passed_on(self) -> None:
        """What was typed here is understood elsewhere as it is here, whatever it begins with."""
        option = click.Option(["--machine", "machines"], multiple=True)
        command = task_command("web", MOVE, [option], taken=("machine",))
        for words in (
            ["a", "b"],
            ["--force", "--marks", "x=-1", "--marks=y=2", "--", "-a", "--b", "c"],
            ["--argument-machine=--m", "--machine", "m1", "a", "b", "--no-force", "--count", "3"],
        ):
            parameters = command.make_context("move", list(words)).params
            passed = words_of(MOVE, parameters)
            self.assertEqual(given_arguments(MOVE, parameters), read(*passed))

    def test_usage_line(self) -> None:
        """A line says how a task is called."""
        expected = "move SOURCES... TARGET [--count] [--marks]... [--machine] [--force]"
        self.assertEqual(expected, usage(MOVE))

    def test_help(self) -> None:
        """The help names every argument, with what it takes."""
        command = task_command("web", MOVE, [click.Option(["--machine"])], taken=("machine",))
        text = command.get_help(click.Context(command, info_name="pop run web move"))
        for part in (
            "Move things.",
            "SOURCES are moved to TARGET.",
            "SOURCES  TEXT",
            "What to move.  One or more.",
            "TARGET  TEXT",
            "--count INTEGER",
            "--argument-machine TEXT",
            "--machine TEXT",
        ):
            self.assertIn(part, text)
