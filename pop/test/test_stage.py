"""What is shown as long as a task is run."""

from io import StringIO
from typing import Any

from rich.console import Console
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from pop.cli.stage import Bars, Stage
from pop.model import dump


def progress(done: float, total: float | None = None, what: str = "") -> bytes:
    """A line as an agent sends it."""
    return dump({"done": done, "total": total, "what": what}) + b"\n"


class Tests(SynchronousTestCase):
    """A stage whose text is kept."""

    def setUp(self) -> None:
        self.texts = {"stdout": b"", "stderr": b""}
        self.drawn = StringIO()

    def stage(self, *machines: str, bars: bool = False) -> Stage:
        """One for these machines."""
        console = Console(file=self.drawn, force_terminal=True, width=80, color_system=None)
        drawn = Bars(console, {"stderr"}) if bars else None
        writes = {source: self.writer(source) for source in self.texts}
        return Stage(writes, {machine: machine.upper() for machine in machines}, drawn)

    def writer(self, source: str) -> Any:
        def write(data: bytes) -> Deferred[None]:
            self.texts[source] += data
            return succeed(None)

        return write

    def close(self, stage: Stage) -> None:
        """End it."""
        self.successResultOf(Deferred.fromCoroutine(stage.close()))


class TextTests(Tests):
    """What tasks print."""

    def test_one(self) -> None:
        """What one machine writes is shown as it comes, in its place."""
        stage = self.stage("m1")
        for source, data in (("stdout", b"a"), ("stderr", b"b"), ("stdout", b"\r\xff")):
            self.successResultOf(stage.voice("m1").write(source, data))
        self.assertEqual({"stdout": b"a\r\xff", "stderr": b"b"}, self.texts)

    def test_several(self) -> None:
        """Lines of several are labelled with what the machines are called, and stay whole."""
        stage = self.stage("m1", "m2")
        for machine, data in (("m1", b"one\ntw"), ("m2", b"three\n"), ("m1", b"o\nfour")):
            stage.voice(machine).write("stdout", data)
        self.close(stage)
        lines = self.texts["stdout"].decode().splitlines()
        self.assertEqual(["M1 | one", "M2 | three", "M1 | two", "M1 | four"], lines)


class PlainTests(Tests):
    """How far it is, where there is no terminal."""

    def test_lines(self) -> None:
        """A line for what is new, and for each tenth of it."""
        stage = self.stage("m1")
        for done in range(101):
            stage.voice("m1").write("progress", progress(done, 100, "packing"))
        stage.voice("m1").write("progress", progress(3, None, "wiping"))
        stage.voice("m1").write("progress", progress(100, 100, "wiping"))
        lines = self.texts["stderr"].decode().splitlines()
        self.assertEqual("packing: 0 of 100 (0%)", lines[0])
        self.assertEqual(["packing: 100 of 100 (100%)", "wiping: 3"], lines[-3:-1])
        self.assertLessEqual(len(lines), 14)

    def test_labelled(self) -> None:
        """Of several machines, each is named; pieces may be of any size."""
        stage = self.stage("m1", "m2")
        for byte in progress(1, 2):
            stage.voice("m2").write("progress", bytes([byte]))
        self.assertEqual(b"M2: progress: 1 of 2 (50%)\n", self.texts["stderr"])

    def test_nonsense(self) -> None:
        """What makes no sense moves nothing."""
        stage = self.stage("m1")
        stage.voice("m1").write("progress", b'{"done": "x", "total": [], "what": null}\n')
        self.assertEqual(b"progress: 0\n", self.texts["stderr"])


class BarsTests(Tests):
    """How far it is, on a terminal."""

    def test_drawn(self) -> None:
        """Each machine has a bar of its own, with what it is at."""
        stage = self.stage("m1", "m2", bars=True)
        stage.voice("m1").write("progress", progress(1, 4, "[packing]"))
        stage.voice("m2").write("progress", progress(2))
        self.close(stage)
        self.assertIn("M1 [packing]", self.drawn.getvalue())
        self.assertIn("1/4", self.drawn.getvalue())
        self.assertIn("M2", self.drawn.getvalue())
        self.assertEqual(b"", self.texts["stderr"])

    def test_text_above(self) -> None:
        """Text on the same terminal stands above the bars, in whole lines; other text does not."""
        stage = self.stage("m1", bars=True)
        stage.voice("m1").write("stderr", b"before\n")
        stage.voice("m1").write("progress", progress(1, 4))
        stage.voice("m1").write("stderr", b"of \x1b[1m")
        stage.voice("m1").write("stderr", b"bold\x1b[0m [words]\nrest")
        stage.voice("m1").write("stdout", b"elsewhere")
        self.assertIn("of \x1b[1mbold\x1b[0m [words]\n", self.drawn.getvalue())
        self.close(stage)
        self.assertIn("rest\n", self.drawn.getvalue())
        self.assertEqual({"stdout": b"elsewhere", "stderr": b"before\n"}, self.texts)
