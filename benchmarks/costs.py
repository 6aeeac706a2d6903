"""Where txzookeeper's time goes: per operation, with a server and without, and by function."""

from __future__ import annotations

import cProfile
import pstats
import statistics
from collections.abc import Sequence

from canned import Alone, calls
from crew import Crew
from worker import FLOOR, TXZOOKEEPER
from workloads import Workload

_TITLE = 44
_COLUMNS = ("seconds", "user", "system", "server")


def print_costs(crew: Crew, chosen: Sequence[Workload], rounds: int, operations: int) -> None:
    """Print all of it, in microseconds."""
    _print_real(crew, chosen, rounds, operations)
    _print_alone(rounds)
    _print_functions()


def _print_real(crew: Crew, chosen: Sequence[Workload], rounds: int, operations: int) -> None:
    """Print what an operation takes with the server, of both processes; and what the floor does."""
    heads = [f"{party}: wall" for party in (TXZOOKEEPER, FLOOR)]
    columns = "".join(f"{head:>20}{'user':>8}{'system':>8}{'server':>8}" for head in heads)
    print(f"{'us per operation on the server, medians':<{_TITLE}}{columns}")
    for workload in chosen:
        size = workload.size("", operations)
        parties = [TXZOOKEEPER] + [FLOOR] * (not workload.no_floor)
        cells = "".join(_line(crew, party, workload, size, rounds) for party in parties)
        print(f"{workload.label(operations):<{_TITLE}}{cells}", flush=True)
    print("user, system: CPU time of the client's process; server: of the server's, all threads")


def _line(crew: Crew, party: str, workload: Workload, size: int, rounds: int) -> str:
    reports = [crew.measure(party, workload.name, size, workload.alone) for _ in range(rounds + 1)][
        1:
    ]
    medians = [
        statistics.median(1e6 * each[column] / max(size, 1) for each in reports)
        for column in _COLUMNS
    ]
    return f"{medians[0]:>20.1f}" + "".join(f"{each:>8.1f}" for each in medians[1:])


def _print_alone(rounds: int) -> None:
    """Print what an operation costs the client without socket, reactor and server."""
    for in_flight in (1000, 1):
        title = f"us per operation of the client alone, {in_flight:,} in flight"
        print(f"\n{title:<{_TITLE + 16}}{'sending':>8}{'receiving':>12}{'both':>8}")
        alone = Alone()
        for name, (call, reply) in calls(alone).items():
            pairs = [
                alone.cost(call, reply, in_flight) for _ in range(rounds * 20_000 // in_flight)
            ]
            sending, receiving = (
                1e6 * statistics.median(each) for each in zip(*pairs, strict=True)
            )
            both = sending + receiving
            print(f"{name:<{_TITLE + 16}}{sending:>8.2f}{receiving:>12.2f}{both:>8.2f}", flush=True)
    print("CPU time, medians; no reactor: nothing of Twisted but Deferreds and the clock's calls")


def _print_functions() -> None:
    """Print the functions in which the client alone spends its time, for get in flight."""
    alone = Alone()
    call, reply = calls(alone)["get"]
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(20):
        alone.cost(call, reply, 1000)
    profile.disable()
    print("\nget, 1,000 in flight, the client alone: by function (the profiler slows calls down)")
    statistics_of = pstats.Stats(profile)
    statistics_of.strip_dirs().sort_stats("tottime").print_stats(25)
