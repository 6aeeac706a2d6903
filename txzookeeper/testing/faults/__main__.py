"""Do many runs amid faults: ``python -m txzookeeper.testing.faults --runs 1000 --seed 0``.

They go through TCP proxies to the servers that ``ZOOKEEPER_TEST_SERVERS`` names, or else to a
ZooKeeper started for it, with ``--ensemble`` three of them; with ``--memory`` they take place in
memory. A run that fails is named with its seed: ``--runs 1 --seed SEED`` does it alone, and if in
memory, again in the same way.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import react
from twisted.logger import globalLogBeginner

from txzookeeper.testing.ensemble import RealEnsemble
from txzookeeper.testing.faults.run import Errors, Run, run_for_real, run_in_memory
from txzookeeper.testing.real import HOW_TO_GET_ONE, RealServer, available, real_servers


class Tally:
    """How many runs there were, how many failed, and what befell them."""

    def __init__(self) -> None:
        self.runs = 0
        self.failed = 0
        self._counts: Counter[str] = Counter()

    def add(self, run: Run) -> None:
        """Count a run, and print what was not kept."""
        self.runs += 1
        self.failed += bool(run.complaints)
        for (kind, _), count in run.trouble.counts.items():
            self._counts[kind] += count
        for complaint in run.complaints:
            print(complaint, flush=True)

    def show(self) -> int:
        """Print the sum, and give the exit status."""
        counts = ", ".join(f"{kind} {count}" for kind, count in self._counts.most_common())
        print(f"{self.runs} runs, {self.failed} of them failed. Trouble: {counts}.")
        return 1 if self.failed else 0


def main(arguments: Sequence[str]) -> int:
    """Do the runs, print what was not kept, and give the exit status."""
    parser = ArgumentParser(prog="python -m txzookeeper.testing.faults")
    parser.add_argument("--runs", type=int, default=1000, help="how many; default: 1000")
    parser.add_argument("--seed", type=int, default=0, help="of the first one; default: 0")
    parser.add_argument("--at-a-time", type=int, default=30, help="on a real server; default: 30")
    parser.add_argument("--memory", action="store_true", help="in memory, in virtual time")
    parser.add_argument("--ensemble", action="store_true", help="on three servers started for it")
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.runs)
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    if options.memory:
        return _in_memory(seeds)
    servers = real_servers()
    if servers and not options.ensemble:
        return _for_real(seeds, options.at_a_time, servers)
    if not available():
        print(HOW_TO_GET_ONE, file=sys.stderr)
        return 2
    with RealEnsemble() if options.ensemble else RealServer() as started:
        return _for_real(seeds, options.at_a_time, started.servers)


def _in_memory(seeds: range) -> int:
    tally = Tally()
    for seed in seeds:
        tally.add(run_in_memory(seed))
    return tally.show()


def _for_real(seeds: range, at_a_time: int, servers: str) -> int:
    tally, left = Tally(), list[str]()

    async def all_runs(reactor: Any) -> None:
        turns = DeferredSemaphore(at_a_time)

        def one(seed: int) -> Deferred[None]:
            return Deferred.fromCoroutine(run_for_real(seed, reactor, servers)).addCallback(
                tally.add
            )

        await gatherResults([turns.run(one, seed) for seed in seeds])
        left.extend(f"This was left in the reactor: {call}" for call in reactor.getDelayedCalls())

    with Errors() as errors:
        try:
            react(lambda reactor: Deferred.fromCoroutine(all_runs(reactor)))
        except SystemExit as end:
            if end.code:
                return 1
    for trouble in errors.seen + left:
        print(trouble)
    return tally.show() or (1 if errors.seen + left else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
