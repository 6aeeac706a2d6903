"""pop beside Supervisor and Circus, in alternating rounds of one run, with real processes.

Usage: ``python benchmarks/supervise.py [--rounds N] [--restarts N] [--programs N] [--many N]
[--idle SECONDS] [--only NAME] [--json FILE]``.

Each is started in the foreground, with the settings that it comes with, and runs programs that only
sleep. All are watched from outside, through ``/proc``. pop has a real ZooKeeper, which is neither
measured nor spared: its processor time is taken from the same processors.

- ``restart``: ``kill -9`` of a program, at a random phase, to the moment when its successor
  executes, looked for every 0.2 ms. Each time it is another program, as one that fails again and
  again is not started at once.
- ``adopted``: the same after the agent itself was killed with ``kill -9`` and started again, which
  takes over what runs. The others have nothing to compare: their programs go on without anybody,
  and their successors start second copies.
- ``start``: from the beginning of the supervisor's process until all programs execute. It has run
  them before, so that files, directories and compiled modules are there.
- ``memory``: of its process, with all programs, at rest; the second row shares out what several
  processes have in common.
- ``idle``: while nothing happens: processor time, and how often one of its threads was woken.
- ``stop``: from SIGTERM until no program runs.
- ``many``: start and stop with many more programs, and what each of those more takes in memory.

The table has medians and extremes, and how many times better pop is than each of the others. Each
value is said on standard error as it comes.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median

import outside
from client import positive
from outside import Newcomers, TookTooLong, pause
from supervisors import Circus, Party, Pop, Supervisor, versions

from txzookeeper.testing import HOW_TO_GET_ONE, RealServer, available

NAMES = ("restart", "adopted", "start", "memory", "idle", "stop", "many")
PATIENCE = 120.0
SETTLED = 3.0
"""Seconds until a supervisor has nothing more to do with programs that it has just started."""
TICK = "2000"
"""Milliseconds, as ZooKeeper comes: it grants sessions of 20 of them at most."""
AT_REST = 15.0
"""The same for what it does once, a while later: pop looks at logs after ten seconds."""


class Table:
    """The rows that were measured."""

    def __init__(self, parties: list[str]) -> None:
        self.rows: dict[str, dict[str, list[float]]] = {}
        self._parties = parties

    def add(self, title: str, party: str, value: float) -> None:
        """Add what one party took in one round; less is better. It is said at once."""
        print(f"  {party:<11} {title:<44} {value:>10,.4g}", file=sys.stderr, flush=True)
        self.rows.setdefault(title, {}).setdefault(party, []).append(value)

    def show(self) -> Iterator[str]:
        """Give the lines."""
        ours, *others = self._parties
        cells = "".join(f"{party:>32}" for party in self._parties)
        yield f"{'median (min - max)':<44}{cells}" + "".join(f"{f'/ {p}':>14}" for p in others)
        for title, values in self.rows.items():
            line = f"{title:<44}" + "".join(f"{_cell(values, p):>32}" for p in self._parties)
            yield line + "".join(f"{_ratio(values, ours, p):>14}" for p in others)


def _cell(values: dict[str, list[float]], party: str) -> str:
    found = values.get(party)
    if not found:
        return "n/a"
    low, middle, high = (f"{each:,.4g}" for each in (min(found), median(found), max(found)))
    return f"{middle} ({low} - {high})"


def _ratio(values: dict[str, list[float]], ours: str, other: str) -> str:
    if not values.get(ours) or not values.get(other) or median(values[ours]) <= 0:
        return "n/a"
    return f"{median(values[other]) / median(values[ours]):,.2f}"


class Bench:
    """All parties, and what is done to them in turn."""

    def __init__(self, parties: list[Party], arguments: argparse.Namespace) -> None:
        self.table = Table([party.name for party in parties])
        self.failures: list[str] = []
        self._parties = parties
        self._arguments = arguments
        self._chance = Random()

    def run(self, chosen: set[str]) -> None:
        """Fill the table."""
        if chosen & {"restart", "adopted"}:
            self._restarts(chosen)
        if chosen & {"start", "memory", "idle", "stop", "many"}:
            for party in self._parties:
                self._try(party, self._warm_up, self._arguments.programs)
            for _ in range(self._arguments.rounds):
                for party in self._parties:
                    self._try(party, self._fleet, self._arguments.programs, chosen)
        if "many" in chosen:
            for party in self._parties:
                self._try(party, self._many)

    def _try(self, party: Party, deed: Callable[..., None], *words: object) -> None:
        """Do something that may fail, which is said at the end."""
        try:
            deed(party, *words)
        except TookTooLong as error:
            self.failures.append(f"{party.name}: {error}")
        finally:
            party.end()

    def _restarts(self, chosen: set[str]) -> None:
        count = 2 * self._arguments.restarts
        for party in self._parties:
            party.prepare(count)
            self._start(party, count)
        pause(SETTLED)
        for number in range(0, count, 2):
            for party in self._parties:
                if "restart" in chosen:
                    self._restart(party, number, "kill -9 to exec of the successor, ms")
                if "adopted" in chosen and isinstance(party, Pop):
                    self._adopted(party, number + 1)
        for party in self._parties:
            party.ask_to_stop()
            party.end()

    def _restart(self, party: Party, number: int, title: str) -> None:
        pause(self._chance.uniform(1.2, 2.2) if isinstance(party, Pop) else self._phase())
        pid = party.process_of(number)
        newcomers = Newcomers(party.is_program)
        began = time.perf_counter()
        outside.kill([pid])
        self.table.add(title, party.name, 1000 * (newcomers.wait(1, PATIENCE) - began))

    def _phase(self) -> float:
        """Wait for long enough that a look every five seconds may be at any point."""
        return self._chance.uniform(1.2, 6.2)

    def _adopted(self, party: Pop, number: int) -> None:
        pause(0.5)  # the last one has just been born: an agent that dies now has not noted it
        before = party.programs()
        party.succeed()
        pause(1)
        if party.programs() == before:
            self._restart(party, number, "the same, re-adopted, ms")
        else:
            self.failures.append("pop: the new agent did not adopt what ran")

    def _warm_up(self, party: Party, count: int) -> None:
        """Let it make its directories and compile its modules."""
        party.prepare(count)
        self._start(party, count)
        self._stop(party)

    def _start(self, party: Party, count: int) -> float:
        newcomers = Newcomers(party.is_program)
        began = time.perf_counter()
        party.start()
        return newcomers.wait(count, PATIENCE) - began

    def _stop(self, party: Party) -> float:
        pids = party.programs()
        began = time.perf_counter()
        party.ask_to_stop()
        return outside.gone(lambda: any(outside.alive(pids)), PATIENCE) - began

    def _fleet(self, party: Party, count: int, chosen: set[str]) -> None:
        add = self.table.add
        took = self._start(party, count)
        if "start" in chosen:
            add(f"{count:,} programs, start to all exec'd, s", party.name, took)
        pause(SETTLED)
        weight = outside.weight(party.pid)
        if chosen & {"memory", "many"}:
            add(f"{count:,} programs, memory, MiB", party.name, weight.resident / 1024)
            add(f"{count:,} programs, memory shared out, MiB", party.name, weight.shared_out / 1024)
        if "idle" in chosen:
            pause(AT_REST - SETTLED)
            self._idle(party, count)
        took = self._stop(party)
        if "stop" in chosen:
            add(f"{count:,} programs, SIGTERM to all gone, s", party.name, took)

    def _idle(self, party: Party, count: int) -> None:
        seconds = self._arguments.idle
        before = outside.work(party.pid)
        pause(seconds)
        after = outside.work(party.pid)
        used = 100 * (after.seconds - before.seconds) / seconds
        woken = (after.wakeups - before.wakeups) / seconds
        self.table.add(f"{count:,} programs, idle, % of a processor", party.name, used)
        self.table.add(f"{count:,} programs, idle, wakeups/s", party.name, woken)

    def _many(self, party: Party) -> None:
        few, many = self._arguments.programs, self._arguments.many
        add = self.table.add
        self._warm_up(party, many)
        party.end()
        add(f"{many:,} programs, start to all exec'd, s", party.name, self._start(party, many))
        pause(SETTLED + many / 200)
        resident = outside.weight(party.pid).resident
        before = self.table.rows[f"{few:,} programs, memory, MiB"].get(party.name)
        if before and many > few:
            each = (resident - 1024 * median(before)) / (many - few)
            add(f"memory for each above {few:,}, KiB", party.name, each)
        add(f"{many:,} programs, SIGTERM to all gone, s", party.name, self._stop(party))


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="of starts and stops of each (5)")
    add("--restarts", type=positive, default=20, metavar="N", help="of each one's program (20)")
    add("--programs", type=positive, default=100, metavar="N", help="of each in a round (100)")
    add("--many", type=positive, default=1000, metavar="N", help="programs, once (1,000)")
    add("--idle", type=float, default=20.0, metavar="SECONDS", help="how long to look on (20)")
    add("--only", choices=NAMES, action="append", help="may be repeated")
    add("--pop-only", action="store_true", help="leave the others out")
    add("--json", type=Path, metavar="FILE", help="write all values there")
    return parser.parse_args(words)


@contextmanager
def _parties(pop_only: bool) -> Iterator[list[Party]]:
    if not available():
        raise SystemExit(f"benchmark: {HOW_TO_GET_ONE}")
    with ExitStack() as stack:
        server = stack.enter_context(RealServer({"tickTime": TICK}))
        parties: list[Party] = [Pop(server.servers)]
        if not pop_only:
            parties += [Supervisor(), Circus()]
        for party in parties:
            stack.callback(party.close)
        yield parties


def main() -> None:
    """Measure, and print the table."""
    arguments = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is to be left behind
    print(versions(), flush=True)
    with _parties(arguments.pop_only) as parties:
        bench = Bench(parties, arguments)
        try:
            bench.run(set(arguments.only or NAMES))
        except TookTooLong as error:
            bench.failures.append(str(error))
        print(*bench.table.show(), *dict.fromkeys(bench.failures), sep="\n")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(bench.table.rows, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
