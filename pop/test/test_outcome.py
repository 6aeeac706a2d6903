"""Work runs the reactor, and an interruption reaches it: in processes, with a reactor each."""

import subprocess
import sys
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

PROGRAM = """
import os, signal
from click import Abort
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from pop.cli.outcome import outcome
from pop.errors import NoJournal

async def work():
{body}

try:
    print("got", outcome(reactor, work))
except Abort:
    print("aborted")
except Exception as error:
    print("failed", type(error).__name__)
"""


class OutcomeTests(SynchronousTestCase):
    """What becomes of work."""

    def outcome(self, *lines: str) -> list[str]:
        """What a program prints whose work is these lines."""
        program = PROGRAM.format(body="\n".join(f"    {line}" for line in lines))
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
        )
        self.assertEqual("", done.stderr)
        return done.stdout.splitlines()

    def test_result(self) -> None:
        """Its result, or its error, at once or later."""
        self.assertEqual(["got 3"], self.outcome("return 3"))
        later = "await deferLater(reactor, 0.01)"
        self.assertEqual(["got 3"], self.outcome(later, "return 3"))
        error = 'raise NoJournal(service="web", reason="so.")'
        self.assertEqual(["failed NoJournal"], self.outcome(error))
        self.assertEqual(["failed NoJournal"], self.outcome(later, error))

    def test_interrupted(self) -> None:
        """Ctrl-C cancels it, and it has time to tidy up."""
        lines = (
            "reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)",
            "try:",
            "    await Deferred()",
            "finally:",
            "    await deferLater(reactor, 0.01)",
            "    print('tidy')",
        )
        self.assertEqual(["tidy", "aborted"], self.outcome(*lines))

    def test_signals(self) -> None:
        """Afterwards signals do what they did before: whoever goes on, in a shell for one, can be
        interrupted and ended."""
        program = PROGRAM.format(body="    return 3") + dedent(
            """
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                print("interrupted")
            print(signal.getsignal(signal.SIGTERM).name)
            """
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
        )
        self.assertEqual(("got 3\ninterrupted\nSIG_DFL\n", ""), (done.stdout, done.stderr))

    def test_interrupted_twice(self) -> None:
        """A second Ctrl-C leaves at once, whatever has still to be ended."""
        lines = (
            "reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)",
            "reactor.callLater(0.1, os.kill, os.getpid(), signal.SIGINT)",
            "try:",
            "    await Deferred()",
            "finally:",
            "    await deferLater(reactor, 60)",
        )
        self.assertEqual(["aborted"], self.outcome(*lines))

    def test_interrupted_and_well(self) -> None:
        """What takes an interruption for its end has a result all the same."""
        lines = (
            "reactor.callLater(0, os.kill, os.getpid(), signal.SIGINT)",
            "try:",
            "    await Deferred()",
            "except BaseException:",
            "    return 7",
        )
        self.assertEqual(["got 7"], self.outcome(*lines))
