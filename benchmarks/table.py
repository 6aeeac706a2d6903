"""The table: a row for each workload, medians of the rounds with their extremes, and the ratio."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from worker import FLOOR, KAZOO, TXZOOKEEPER
from workloads import MEMORY, RATE, TIME, Workload

Reports = Mapping[str, list[dict[str, Any]]]
"""By party, what each round took."""

_TITLE = 44
_CELL = 29


def value(workload: Workload, report: Mapping[str, Any]) -> float:
    """Give what one round achieved, in the workload's unit."""
    if workload.unit == RATE:
        return float(report["count"] / report["seconds"])
    if workload.unit == TIME:
        return float(1000 * report["seconds"])
    return float(report["kib"] / report["count"])


def median(workload: Workload, reports: list[dict[str, Any]]) -> float | None:
    """Give the median of the rounds, if there were any."""
    return statistics.median(value(workload, each) for each in reports) if reports else None


def ratio(workload: Workload, reports: Reports) -> float | None:
    """Give how many times better txzookeeper is than kazoo."""
    kazoo = median(workload, reports.get(KAZOO, []))
    ours = median(workload, reports.get(TXZOOKEEPER, []))
    if not kazoo or not ours or min(kazoo, ours) <= 0:
        return None
    return ours / kazoo if workload.unit == RATE else kazoo / ours


def processor(reports: list[dict[str, Any]]) -> float | None:
    """Give the median CPU time of the client's process for each operation, in microseconds."""
    if not reports or not reports[0]["count"]:
        return None
    times = [1e6 * (each["user"] + each["system"]) / each["count"] for each in reports]
    return float(statistics.median(times))


def heading(floor: bool) -> str:
    """Give the table's first lines."""
    cells = (
        f"{'median (min - max)':<{_TITLE}}{'kazoo':>{_CELL}}{'txzookeeper':>{_CELL}}{'ratio':>8}"
    )
    cells += f"{'CPU us/op':>14}"
    if floor:
        cells += f"{'floor':>{_CELL}}{'of it':>7}"
    return f"{cells}\n{'-' * len(cells)}"


def row(workload: Workload, title: str, reports: Reports, floor: bool) -> str:
    """Give a row: the ratio is above 1 where txzookeeper is better, in whatever unit."""
    times = ratio(workload, reports)
    cells = f"{f'{title}, {workload.unit}':<{_TITLE}}"
    cells += _cell(workload, reports.get(KAZOO, [])) + _cell(workload, reports.get(TXZOOKEEPER, []))
    cells += f"{'n/a' if times is None else f'{times:.2f}':>8}"
    cells += f"{_processors(workload, reports):>14}"
    if floor and not workload.no_floor:
        cells += _cell(workload, reports.get(FLOOR, [])) + f"{_share(workload, reports):>7}"
    return cells


def _cell(workload: Workload, reports: list[dict[str, Any]]) -> str:
    if not reports:
        return f"{'n/a':>{_CELL}}"
    values = [value(workload, each) for each in reports]
    digits = 2 if workload.unit == MEMORY else 1 if workload.unit == TIME else 0
    low, middle, high = (
        f"{each:,.{digits}f}" for each in (min(values), statistics.median(values), max(values))
    )
    return f"{f'{middle} ({low} - {high})':>{_CELL}}"


def _processors(workload: Workload, reports: Reports) -> str:
    if workload.unit != RATE:
        return ""
    both = [processor(reports.get(party, [])) for party in (KAZOO, TXZOOKEEPER)]
    return " / ".join("-" if each is None else f"{each:.0f}" for each in both)


def _share(workload: Workload, reports: Reports) -> str:
    ours, most = (median(workload, reports.get(party, [])) for party in (TXZOOKEEPER, FLOOR))
    return f"{100 * ours / most:.0f} %" if ours and most else "n/a"
