"""Plone by pop, for real: each command as you would type it, and what it says.

    python examples/plone.py [--screenshots DIRECTORY] [--zookeeper HOST:PORT[/chroot]]

It installs Plone from the Python Package Index, twice, into a directory that is removed in the end:
that takes some minutes, and the ports 8080 and 8081. With --screenshots, a chromium that is
installed here looks at the pages.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from interruption import Interruption

SHOWN = 12
"""Lines of a long list that are shown."""
LOOK_AGAIN = 2.0
PATIENCE = 900


def main(argv: Sequence[str], interruption: Interruption) -> int:
    """Go through it, and end everything that it started, whatever happens."""
    from interruption import Stopped
    from tour import GaveUp, Tutorial, answers, say

    parser = argparse.ArgumentParser(description="Have pop run Plone, for real.")
    parser.add_argument("--screenshots", metavar="DIRECTORY", type=Path)
    parser.add_argument("--zookeeper", metavar="HOST:PORT[/chroot]", help="use this ZooKeeper")
    options = parser.parse_args(argv)

    class Plone(Tutorial):
        """The tutorial of a vanilla installation of Plone."""

        def until_ready(self, service: str) -> None:
            """Wait, saying now and then how it is."""
            pause, before = threading.Event(), ""
            for _ in range(int(PATIENCE / LOOK_AGAIN)):
                status = self.ask("status", service)["machines"]
                [found] = status.values() or [{}]
                now = f"{found.get('phase', 'nothing yet')}: {found.get('why', '')}"
                if now != before:
                    say(f"({service} is {now})")
                before = now
                if found.get("phase") == "ready" and not found.get("problem"):
                    return
                with self._interruption.welcome():
                    pause.wait(LOOK_AGAIN)
            raise GaveUp(f"{service} is not ready after {PATIENCE} seconds.")

        def ask(self, *words: str) -> dict[str, dict[str, dict[str, str]]]:
            """What a command says, as JSON."""
            command = [sys.executable, "-m", "pop", "--json", *words]
            done = subprocess.run(
                command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True
            )
            return dict(json.loads(done.stdout))

        def listed(self, service: str, *packages: str) -> None:
            """Its packages, the first and some."""
            say(f"\n$ pop run {service} packages")
            command = [sys.executable, "-m", "pop", "run", service, "packages"]
            done = subprocess.run(
                command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True
            )
            lines = done.stdout.decode().splitlines()
            for number, line in enumerate(lines):
                if number < SHOWN or line.split()[0] in packages:
                    say(line)
            say(f"({len(lines) - 1} packages in all)")

        def look(self, port: int) -> None:
            """Look at the page."""
            self.fetch(port)
            browser = shutil.which("chromium")
            if options.screenshots and browser:
                path = options.screenshots.absolute() / f"plone-{port}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                page = f"http://127.0.0.1:{port}/"
                words = ["--headless", "--no-sandbox", "--window-size=1200,800", page]
                subprocess.run(
                    [browser, f"--screenshot={path}", *words], capture_output=True, timeout=120
                )
                say(f"(A screenshot is in {path}.)")

        def tour(self) -> None:  # type: ignore[override]  # the agent is in the background
            """Word by word, then another one beside it, and the tasks of both."""
            self.pop("init")
            self.pop("add", "plone4")
            self.pop("status", "plone4")
            self.pop("start")
            self._stack.callback(self.pop, "stop")
            self.pop("deploy", "plone4")
            self.until_ready("plone4")
            self.pop("status", "plone4")
            self.look(8080)
            say("\n# Another one beside it:")
            self.pop("add", "plone4", "--port", "8081", "--name", "site2")
            self.pop("deploy", "site2")
            self.until_ready("site2")
            self.look(8081)
            say("\n# What is installed, and more of it:")
            self.listed("plone4", "Products.CMFPlone")
            self.pop("run", "plone4", "install", "humanize==4.9.0")
            self.until_ready("plone4")
            self.listed("plone4", "Products.CMFPlone", "humanize")
            self.look(8080)
            say("\n# Its own tasks:")
            for words in (["adduser", "jane"], ["pack", "--days", "0"], ["backup"]):
                self.pop("run", "plone4", *words)
            say("\n# And back again:")
            self.pop("run", "plone4", "rollback")
            self.until_ready("plone4")
            self.pop("status")

    try:
        with ExitStack() as stack:
            for port in (8080, 8081):
                if answers(f"127.0.0.1:{port}"):
                    raise GaveUp(f"Something else listens on port {port}.")
            plone = Plone(stack, interruption)
            plone.find_zookeeper(options.zookeeper)
            plone.tour()
            return 0
    except GaveUp as error:
        with suppress(Stopped):
            say(f"{error}")
        return 1
    except Stopped:
        return 130


if __name__ == "__main__":
    interruption = Interruption()
    sys.exit(main(sys.argv[1:], interruption))
