"""Machines are asked at once, and who is silent is named."""

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from pop.cli.figures import share, size, span
from pop.cli.fleet import AT_ONCE, Answers, ask, called
from pop.errors import NoLog, NotHere, Silent, told
from pop.model import Machine


class AskTests(SynchronousTestCase):
    """One question to several machines."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: dict[str, Deferred[str]] = {}

    async def question(self, machine: str) -> str:
        """Answered when the test says so."""
        self.asked[machine] = Deferred()
        return await self.asked[machine]

    def ask(self, *machines: str) -> "Deferred[Answers[str]]":
        """Ask some."""
        return Deferred.fromCoroutine(ask(machines, self.question, self.clock, 5.0))

    def test_all(self) -> None:
        """All are asked at once, each once, and their answers come in the order of the question."""
        found = self.ask("m2", "m1", "m2")
        self.asked["m1"].callback("one")
        self.assertNoResult(found)
        self.asked["m2"].callback("two")
        self.assertEqual(
            [("m2", "two"), ("m1", "one")], list(self.successResultOf(found).given.items())
        )

    def test_refused(self) -> None:
        """One that refuses does not keep the others from answering."""
        found = self.ask("m1", "m2")
        error = NotHere(service="web", machine="m1", hint="")
        self.asked["m1"].errback(error)
        self.asked["m2"].callback("two")
        self.assertEqual(Answers({"m2": "two"}, {"m1": error}), self.successResultOf(found))

    def test_silent(self) -> None:
        """One that says nothing is given up after its time, and not asked any longer."""
        found = self.ask("m1", "m2")
        self.asked["m2"].callback("two")
        self.clock.advance(4.9)
        self.assertNoResult(found)
        self.clock.advance(0.2)
        answers = self.successResultOf(found)
        self.assertIsInstance(answers.missing["m1"], Silent)
        self.assertEqual({"m2": "two"}, answers.given)
        self.assertTrue(self.asked["m1"].called)

    def test_many(self) -> None:
        """So many are asked at the same time, and no more."""
        found = self.ask(*map(str, range(AT_ONCE + 10)))
        self.assertEqual(AT_ONCE, len(self.asked))
        for number in range(AT_ONCE + 10):
            self.asked[str(number)].callback("")
        self.assertEqual(AT_ONCE + 10, len(self.successResultOf(found).given))

    def test_flaw(self) -> None:
        """What is no trouble of an operator's is not swallowed."""

        async def question(machine: str) -> str:
            await fail(ZeroDivisionError())
            return ""

        found = Deferred.fromCoroutine(ask(["m1"], question, self.clock, 5.0))
        self.failureResultOf(found, ZeroDivisionError)


class SentencesTests(SynchronousTestCase):
    """What is said of those who did not answer."""

    def test_grouped(self) -> None:
        """The same reason is given once, for all whom it concerns, by the names people know."""
        log = NoLog(service="web", directory="/x")
        silent = [Silent(machine=id, seconds=5) for id in ("m1", "m3")]
        answers: Answers[str] = Answers({}, {"m1": silent[0], "m2": log, "m3": silent[1]})
        self.assertEqual(
            [str(Silent(machine="alpha, m3", seconds=5)), f"beta: {log}"],
            answers.sentences({"m1": "alpha", "m2": "beta"}),
        )

    def test_told(self) -> None:
        """What an agent says of itself is repeated as it said it."""
        known = told("NotHere", "No instance runs on m1.")
        other = told("Odd", "It is odd.")
        answers: Answers[str] = Answers({}, {"m1": known, "m2": other})
        self.assertEqual(
            ["No instance runs on m1.", "beta: It is odd."], answers.sentences({"m2": "beta"})
        )

    def test_called(self) -> None:
        """Machines go by their hosts' names where these tell them apart."""
        machines = [Machine("1", "alpha"), Machine("2", "beta"), Machine("3", "beta"), Machine("4")]
        self.assertEqual({"1": "alpha", "2": "2", "3": "3", "4": "4"}, called(machines))


class FiguresTests(SynchronousTestCase):
    """Figures for people."""

    def test_size(self) -> None:
        """Three digits and a unit."""
        sizes = (None, 0, 999, 1000, 35_750_000, 200 << 20, 1000 << 20, 5 << 50)
        self.assertEqual(
            ["", "0", "999", "1.0K", "34.1M", "200M", "1.0G", "5.0P"], list(map(size, sizes))
        )

    def test_span(self) -> None:
        """The two greatest units."""
        spans = (None, -1, 0, 59.9, 60, 185, 3600 * 4 + 720, 86400 * 3 + 3600 * 4)
        expected = ["", "0s", "0s", "59s", "1m00s", "3m05s", "4h12m", "3d04h"]
        self.assertEqual(expected, list(map(span, spans)))

    def test_share(self) -> None:
        """Percent of one processor."""
        self.assertEqual(["", "0.0%", "12.3%", "250.0%"], list(map(share, (None, 0, 0.123, 2.5))))
