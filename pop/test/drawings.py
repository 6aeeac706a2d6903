"""The life of an instance, drawn from what L{pop.life.step} does.

C{python -m pop.test.drawings} draws what the documentation shows; a test compares.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from pop import events
from pop.backoff import Failures
from pop.life import Impossible, Life, Phase, step
from pop.policy import ALWAYS, NEVER, Checks, Restarts
from pop.program import Launch, Program
from pop.test.checkout import ROOT

TABLES = ROOT / "docs" / "tables"

PLAIN = Launch(Program(("x",)), restarts=Restarts(ALWAYS, max_failures=5))
LAUNCHES = (
    PLAIN,
    replace(PLAIN, program=Program(("x",), notifies=True)),
    replace(PLAIN, checks=Checks(readiness="tcp:80")),
    replace(PLAIN, program=Program(("x",), notifies=True), checks=Checks(readiness="tcp:80")),
    replace(PLAIN, restarts=Restarts(NEVER)),
)
EVENTS: tuple[events.Event, ...] = (
    events.Wanted(Launch(Program(("y",)))),
    events.Unwanted(),
    events.Adopted(LAUNCHES[0], 1),
    events.Adopted(LAUNCHES[1], 1),
    events.Recalled(LAUNCHES[3], "how", True),
    events.Spawned(1),
    events.Refused("why"),
    events.Notified(),
    events.Notified(ready=True),
    events.Notified(stopping=True),
    events.Passed(),
    events.Failed("why"),
    events.Unhealthy("why"),
    events.Exited("how"),
    events.Elapsed(),
)
"""Every kind of event."""
FAILURES = tuple(Failures(n, (1.0,) * n) for n in (0, 1, 4))


def possible_lives() -> Iterator[Life]:
    """Every kind of life that an instance can be at."""
    for phase, launch, failures in product(Phase, LAUNCHES, FAILURES):
        life = Life(phase, wanted=launch, running=launch, pid=1, failures=failures)
        if phase is Phase.STARTING:
            yield replace(life, pid=None)
            if launch.program.notifies or launch.checks.readiness:
                yield life
        elif phase is Phase.READY:
            yield replace(life, told=True, passed=True)
        elif phase is Phase.NOT_READY:
            yield replace(life, told=False)
            yield replace(life, told=True)
        elif phase is Phase.STOPPING:
            yield life
            yield replace(life, wanted=None)
            yield replace(life, failing=True)
            yield replace(life, failing=True, failures=Failures(5, too_many=True))
        elif phase is Phase.STOPPED:
            yield Life()
        else:
            yield replace(life, running=None, pid=None)


def name_of(event: events.Event) -> str:
    """The name of an event, as people read it."""
    return type(event).__name__.lower()


def can_happen(life: Life, event: events.Event) -> bool:
    """Whether an event fits what has happened to a process before, and what it was started with."""
    match event:
        case events.Spawned() | events.Refused():
            return life.pid is None
        case events.Passed() | events.Failed():
            return life.running is None or life.running.checks.readiness is not None
    return True


def transitions() -> dict[tuple[Phase, str], set[Phase]]:
    """What may become of each phase by each event that can happen in it."""
    found: dict[tuple[Phase, str], set[Phase]] = {}
    for life, event in product(possible_lives(), EVENTS):
        if not can_happen(life, event):
            continue
        try:
            became, _ = step(life, event, now=1.0)
        except Impossible:
            continue
        found.setdefault((life.phase, name_of(event)), set()).add(became.phase)
    return found


def table() -> list[dict[str, str]]:
    """What may become of an instance: a row for each event, a column for each phase."""
    found = transitions()

    def cell(phase: Phase, event: str) -> str:
        became = found.get((phase, event), set())
        return " or ".join(other.value for other in Phase if other in became) or "-"

    events = dict.fromkeys(map(name_of, EVENTS))
    return [
        {"event": event} | {phase.value: cell(phase, event) for phase in Phase} for event in events
    ]


def graph() -> str:
    """The same as a graph, in the language of Graphviz, without what stays where it is."""
    edges: dict[tuple[Phase, Phase], list[str]] = {}
    for (phase, event), became in transitions().items():
        for other in Phase:
            if other in became and other is not phase:
                edges.setdefault((phase, other), []).append(event)
    lines = [
        f'    "{a.value}" -> "{b.value}" [label="{", ".join(edges[a, b])}"];\n'
        for a, b in product(Phase, Phase)
        if (a, b) in edges
    ]
    return f"digraph life {{\n{''.join(lines)}}}\n"


def draw() -> None:
    """Write all drawings."""
    (TABLES / "life.dot").write_text(graph(), encoding="utf-8")
    rows = table()
    with open(TABLES / "life.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    draw()
