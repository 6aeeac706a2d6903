"""kazoo and txzookeeper against one real ZooKeeper, in alternating rounds of one run.

Usage: ``python benchmarks/client.py [--rounds N] [--operations N] [--only NAME] [--floor]
[--json FILE] [--servers HOST:PORT | --stock] [--profile]``.

Each client works in a process of its own and is warmed up; while one is measured the other rests.
A workload is done by all in turn, round after round, before the next one begins. The table has
the medians and extremes of the rounds, and how many times better txzookeeper is than kazoo (in
rates, times and memory alike, above 1 is better). Beside them stands the CPU time of each
client's process for one operation, and with ``--floor`` what a bare socket with prepared bytes
reaches: about the most that this server gives to one connection. ``--profile`` says instead where
txzookeeper's time goes.

So that clients are measured and not the server, it is told to do without threads of its own for
input and output (``zookeeper.nio.numWorkerThreads=0``): on two processors those cost more than
all its other work. ``--stock`` leaves it as it comes.

A row's "1,000 in flight" means that the next call is made when a reply arrives, so that so many
are always under way. "set + watch event" is one operation: read a node and arm a watch, change
the node, receive the event; one at a time each step waits for the one before, in flight all are
sent at once. A transaction of 10 is a check, and three times create, set and delete. A reconnect
begins when the client's socket is shut under it, and ends when it has an answer to its next call
and the server has all its watches: txzookeeper arms them by itself, kazoo forgets them, so that
there its ``DataWatch`` recipe stands in. Each watch of kazoo's is a reference to one function,
each of txzookeeper's a Deferred with a callback. For connected clients kazoo has a tenth of the
number, as each has three threads; the memory is that of one client in both cases.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import table
from crew import Crew, WorkerFailed
from real_server import FEW_THREADS, monitored, own_server, planted
from worker import FLOOR, KAZOO, TXZOOKEEPER
from workloads import BY_NAME, WORKLOADS, Workload

#: So often the server does something before anybody is measured; Java compiles after 10,000 times.
_WARMING = {
    "get-1000": 40_000,
    "set-1000": 20_000,
    "create-1000": 20_000,
    "watch-1000": 10_000,
    "multi-100": 5_000,
    "get-1": 3_000,
}


def main() -> None:
    """Measure, and print the table or the profile."""
    arguments = parse(sys.argv[1:])
    try:
        with _servers(arguments.servers, arguments.stock) as servers:
            version = monitored(servers).get("zk_version", "?").partition("-")[0]
            print(f"ZooKeeper {version} at {servers}")
            (profile if arguments.profile else compare)(arguments, servers)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except WorkerFailed as error:
        raise SystemExit(f"benchmark: {error}") from error


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    names = ", ".join(BY_NAME)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="of each client for each workload (5)")
    add(
        "--operations",
        type=positive,
        default=20_000,
        metavar="N",
        help="plain calls with 1,000 in flight in each round; all else in proportion (20,000)",
    )
    add("--only", type=_workload, action="append", metavar="NAME", help=f"may be repeated; {names}")
    add("--floor", action="store_true", help="also measure a bare socket with prepared bytes")
    add("--profile", action="store_true", help="say where txzookeeper's time goes instead")
    add("--json", type=Path, metavar="FILE", help="write all rounds there")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--servers", metavar="HOST:PORT", help="a ZooKeeper that runs already")
    which.add_argument(
        "--stock", action="store_true", help="leave the server's threads as they are"
    )
    return parser.parse_args(words)


def positive(word: str) -> int:
    """Read a number from the command line."""
    number = int(word) if word.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no number above 0")
    return number


def _workload(name: str) -> Workload:
    if name not in BY_NAME:
        near = get_close_matches(name, BY_NAME, 1)
        advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(BY_NAME)}"
        raise argparse.ArgumentTypeError(f"there is no workload {name!r}; {advice}")
    return BY_NAME[name]


@contextmanager
def _servers(given: str | None, stock: bool) -> Iterator[str]:
    if given is not None:
        yield given
        return
    with own_server(options=[] if stock else [FEW_THREADS]) as server:
        yield server.servers


def compare(arguments: argparse.Namespace, servers: str) -> None:
    """Do the rounds and print the rows as they come."""
    parties = [KAZOO, TXZOOKEEPER] + [FLOOR] * arguments.floor
    workloads = arguments.only or WORKLOADS
    root = f"/benchmark-{os.getpid()}"
    everything: dict[str, dict[str, list[dict[str, Any]]]] = {}
    failures: list[str] = []
    watched = max(each.size("", arguments.operations) for each in WORKLOADS if each.after == "fire")
    with (
        planted(servers, root, [*parties, FLOOR], watched, tidy=arguments.servers is not None),
        Crew(parties, servers, root) as crew,
    ):
        _warm_server(crew)
        print(f"{arguments.rounds} rounds\n\n{table.heading(arguments.floor)}", flush=True)
        for workload in workloads:
            reports = _rounds(crew, workload, arguments, failures)
            everything[workload.name] = reports
            title = workload.label(arguments.operations)
            print(table.row(workload, title, reports, arguments.floor), flush=True)
    print("".join(f"\n{each}" for each in dict.fromkeys(failures)))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(_report(arguments, everything), indent=1) + "\n")


def _warm_server(crew: Crew) -> None:
    """Let the server compile its code before anybody is measured."""
    for name, count in _WARMING.items():
        crew.measure(FLOOR, name, count, False)


def _rounds(
    crew: Crew, workload: Workload, arguments: argparse.Namespace, failures: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Do a workload by all parties in turn; one that fails is left out from then on."""
    reports: dict[str, list[dict[str, Any]]] = {
        party: [] for party in crew.parties if party != FLOOR or not workload.no_floor
    }
    able = list(reports)
    for turn in range(-1, arguments.rounds):
        for party in list(able):
            count = workload.size(party, arguments.operations)
            try:
                if turn >= 0:
                    report = crew.measure(party, workload.name, count, workload.alone)
                    reports[party].append(report)
                elif not workload.alone:
                    crew.measure(party, workload.name, max(count // 5, 1), False)
            except WorkerFailed as error:
                able.remove(party)
                reports[party].clear()
                failures.append(str(error))
    return reports


def _report(
    arguments: argparse.Namespace, everything: dict[str, dict[str, list[dict[str, Any]]]]
) -> dict[str, Any]:
    """Give what goes into the file: for each workload the medians, the ratio, and all rounds."""
    rows = {}
    for name, reports in everything.items():
        workload = BY_NAME[name]
        rows[name] = {
            "title": workload.label(arguments.operations),
            "unit": workload.unit,
            "medians": {party: table.median(workload, each) for party, each in reports.items()},
            "ratio": table.ratio(workload, reports),
            "rounds": reports,
        }
    return {"rounds": arguments.rounds, "operations": arguments.operations, "workloads": rows}


def profile(arguments: argparse.Namespace, servers: str) -> None:
    """Print where the time of one operation goes."""
    from costs import print_costs

    root = f"/benchmark-{os.getpid()}"
    chosen = arguments.only or [each for each in WORKLOADS if not (each.alone or each.no_floor)]
    parties = [TXZOOKEEPER, FLOOR]
    with (
        planted(servers, root, parties, 0, tidy=arguments.servers is not None),
        Crew(parties, servers, root) as crew,
    ):
        _warm_server(crew)
        print_costs(crew, chosen, arguments.rounds, arguments.operations)


if __name__ == "__main__":
    main()
