"""What the guide to the web server shows does what it says."""

import json
import shlex
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from pop.components.http import FACTORY_HTTP_BASIC
from pop.test.checkout import MISSING, ROOT
from pop.test.test_component_guide import blocks
from pop.test.web import Far, body_of


class GuideTests(SynchronousTestCase):
    """C{docs/web.rst}, from top to bottom."""

    skip = MISSING

    def test_runs(self) -> None:
        """Each request is answered as is shown, by what is written above it."""
        self.reactor: Any = MemoryReactorClock()
        names: dict[str, Any] = {"__name__": "guide", "reactor": self.reactor}
        shown = 0
        for language, text in blocks((ROOT / "docs" / "web.rst").read_text(encoding="utf-8")):
            if language == "python":
                exec(compile(text, "docs/web.rst", "exec"), names)
            elif language == "console":
                shown += 1
                lines = [line for line in text.splitlines() if line.startswith("$ ")]
                self.assertEqual(text, "".join(f"{line}\n{self.curl(line)}" for line in lines))
            else:
                self.assertEqual(FACTORY_HTTP_BASIC, json.loads(text)["components"][0]["factory"])
        self.assertEqual(2, shown)
        self.events()
        self.assertTrue(self.connect().ask("/numbers").endswith("100000\n\r\n0\r\n\r\n"))
        self.successResultOf(names["framework"].stop())

    def connect(self) -> Far:
        """A new connection to the server."""
        far = Far()
        far.protocol = self.reactor.tcpServers[0][1].buildProtocol(None)
        far.protocol.makeConnection(far)
        return far

    def curl(self, line: str) -> str:
        """What a command line would print."""
        words = shlex.split(line)[2:]
        given = {name: words[words.index(name) + 1] for name in ("-X", "-d") if name in words}
        method = given.get("-X", "POST" if "-d" in given else "GET")
        target = words[-1].removeprefix("http://localhost:8080")
        far = self.connect()
        answer = far.ask(target, method, given.get("-d", ""))
        far.loseConnection()
        return body_of(answer)

    def events(self) -> None:
        """An event arrives when it happens."""
        far = self.connect()
        far.ask("/countdown", "GET", "", "Accept: text/event-stream")
        self.reactor.advance(1)
        self.assertIn("event: left\ndata: 2\n\n", far.take())
        far.loseConnection()
