"""What the guide to components shows does what it says."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from pop.test.checkout import MISSING, ROOT

BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:   .*\n|\n)+)", re.MULTILINE)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The language and the text of each block of code on a page."""
    for found in BLOCK.finditer(text):
        yield found[1], dedent(found[2]).strip("\n") + "\n"


class GuideTests(SynchronousTestCase):
    """C{docs/components.rst}, from top to bottom."""

    skip = MISSING

    def setUp(self) -> None:
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(ROOT)
        for name in ("provider", "consumer"):
            self.addCleanup(sys.modules.pop, name, None)

    def test_runs(self) -> None:
        """Each piece of code prints what is shown after it, and nothing else."""
        names: dict[str, object] = {"__name__": "guide"}
        page = (ROOT / "docs" / "components.rst").read_text(encoding="utf-8")
        found = [*blocks(page), ("", "")]
        self.assertGreater(len(found), 10)
        for (language, code), (following, expected) in pairwise(found):
            if language == "python":
                output = StringIO()
                with redirect_stdout(output):
                    exec(compile(code, "docs/components.rst", "exec"), names)
                shown = expected if following == "text" else ""
                self.assertEqual(shown, output.getvalue(), code)
        self.flushLoggedErrors()
