"""Tasks in processes of their own, for real."""

from dataclasses import replace
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import TestCase

from pop.errors import NotSpawned
from pop.kin import alive
from pop.test.chores import Chores
from pop.test.processes import turn


class Tests(TestCase):
    """Chores for each test."""

    timeout = 60

    def setUp(self) -> None:
        self.chores = Chores(self)
        self.heard = self.chores.heard
        self.run_ = self.chores.run


class TaskTests(Tests):
    """What tasks are given, and what comes of them."""

    async def test_arguments(self) -> None:
        """Arguments arrive as the schema has them; what is printed is handed on."""
        result = await self.run_("shout", "a b", "c", "--times=2", "--loud")
        self.assertEqual({"status": 0, "settings": None}, result)
        self.assertEqual({"stdout": b"a b c !\na b c !\n"}, self.heard.found)

    async def test_bad_arguments(self) -> None:
        """What makes no sense is refused with a sentence: status 2 for usage, 1 for values."""
        self.assertEqual(2, (await self.run_("shout", "a", "--nothing"))["status"])
        self.assertIn("--nothing", self.heard.text("stderr"))
        self.assertEqual(1, (await self.run_("shout", "a", "--times=0"))["status"])
        self.assertEqual(1, (await self.run_("shout", "a", "--times=4", "--loud"))["status"])
        said = [line for line in self.heard.text("stderr").splitlines() if "pop: " in line]
        self.assertEqual(
            [
                'pop: The argument "times" of the task "shout" cannot be \'0\': it should be at'
                " least 1.",
                'pop: These arguments of the task "shout" do not go together: not so loud so'
                " often.",
            ],
            said,
        )

    async def test_surroundings(self) -> None:
        """It knows where it is, has the instance's directory and variables, and reads nothing."""
        await self.run_("look", colour="green")
        expected = [
            f"web m1 green {self.chores.nursery.path}",
            f"{self.chores.directory} {self.chores.directory} sweet 1",
            "nothing to read",
        ]
        self.assertEqual(expected, self.heard.text("stdout").splitlines())
        self.assertEqual("careful\n", self.heard.text("stderr"))

    async def test_progress_and_status(self) -> None:
        """How far a coroutine is comes as it says so, and its status in the end."""
        result = await self.run_("slowly")
        self.assertEqual(5, result["status"])
        expected = [{"done": i, "total": 3, "what": f"part {i}"} for i in (1, 2, 3)]
        self.assertEqual(expected, self.heard.progress())

    async def test_record(self) -> None:
        """Settings to be recorded come with the end, all together."""
        result = await self.run_("paint")
        self.assertEqual({"status": 0, "settings": {"colour": "blue", "umask": None}}, result)

    async def test_large_request(self) -> None:
        """A request may be larger than what the system holds for a reader."""
        words = ["y" * 1000] * 1000
        self.assertEqual(0, (await self.run_("shout", *words))["status"])
        self.assertEqual(" ".join(words) + " .\n", self.heard.text("stdout"))

    async def test_refused(self) -> None:
        """Expected trouble is a sentence and status 1."""
        self.assertEqual(1, (await self.run_("refuse"))["status"])
        self.assertEqual("pop: ZooKeeper refused: it is just so.\n", self.heard.text("stderr"))

    async def test_defect(self) -> None:
        """A defect of the type's is shown as Python shows it, for whoever wrote it."""
        self.assertEqual(1, (await self.run_("crash"))["status"])
        self.assertIn("ValueError: a defect", self.heard.text("stderr"))

    async def test_bad_settings(self) -> None:
        """Settings that the type does not take are refused there, too."""
        self.assertEqual(1, (await self.run_("look", colour=3))["status"])
        self.assertIn('The setting "colour"', self.heard.text("stderr"))

    async def test_not_started(self) -> None:
        """What cannot be started is said in a sentence."""
        nowhere = replace(self.chores.launch, directory="/nowhere")
        await self.assertFailure(self.run_("look", launch=nowhere), NotSpawned)


class FlowTests(Tests):
    """What is written waits for who reads."""

    async def test_all_of_it(self) -> None:
        """Two megabytes arrive whole, those that were written just before the end too."""
        await self.run_("flood")
        self.assertEqual(2_000_000, len(self.heard.found["stdout"]))

    async def test_slow_reader(self) -> None:
        """Who reads slowly makes the task wait, and is not buried."""
        self.heard.slow = []
        running = self.run_("flood")
        while not self.heard.slow:
            await turn()
        for _ in range(200):
            await turn()
        self.assertLessEqual(len(self.heard.found["stdout"]), 1 << 15)
        while not running.called:
            for waiting in self.heard.slow:
                if not waiting.called:
                    waiting.callback(None)
            await turn()
        self.assertEqual(2_000_000, len(self.heard.found["stdout"]))
        await running

    async def test_reader_that_fails(self) -> None:
        """Who does not take it any more ends the task."""
        self.heard.slow = []
        running = self.run_("flood")
        while not self.heard.slow:
            await turn()
        self.heard.slow[0].errback(ConnectionError("gone"))
        await self.assertFailure(running, ConnectionError)


class CancelTests(Tests):
    """A task that nobody wants any more."""

    async def cancel(self, task: str, words: bytes, **more: Any) -> None:
        """Cancel one once it has said that."""
        running = self.run_(task, **more)
        await self.heard.until("stdout", words)
        running.cancel()
        await self.assertFailure(running, CancelledError)

    async def test_all_of_it(self) -> None:
        """It may clean up, and all that it started ends with it."""
        await self.cancel("wait", b"\n")
        self.assertEqual("up", (self.chores.directory / "cleaned").read_text())
        self.assertEqual([], [p for p in self.heard.text("stdout").split() if alive(int(p))])

    async def test_a_coroutine(self) -> None:
        """One that runs on a reactor is cancelled there."""
        await self.cancel("await-", b"waiting\n")
        self.assertEqual("up", (self.chores.directory / "cleaned").read_text())

    async def test_killed(self) -> None:
        """One that does not heed it is killed after the grace period."""
        impatient = replace(self.chores.launch, grace_period=0.1)
        await self.cancel("ignore", b"ignoring\n", launch=impatient)

    async def test_impatience(self) -> None:
        """Cancelling more often changes nothing."""
        running = self.run_("wait")
        await self.heard.until("stdout", b"\n")
        for _ in range(3):
            running.cancel()
        await self.assertFailure(running, CancelledError)
        self.assertEqual([], [p for p in self.heard.text("stdout").split() if alive(int(p))])
