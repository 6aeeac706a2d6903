"""The board: what runs on all machines just now, as C{pop top} shows it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pop.cli.figures import share, size, span
from pop.cli.fleet import Answers
from pop.frozen import frozen

Instance = Mapping[str, Any]
"""An instance, as L{pop.interfaces.IAdministration.instances} tells it."""

HEADINGS: Final = (
    *("MACHINE", "INSTANCE", "PHASE", "PID", "CPU", "MEMORY", "UP", "RESTARTS", "WHY"),
)
RIGHT: Final = frozenset({"PID", "CPU", "MEMORY", "UP", "RESTARTS"})
"""Columns of figures."""
ORDERS: Final = {"c": "CPU", "m": "memory", "r": "restarts", "n": "name"}
"""What the board may be sorted by, and the key for it."""
AMOUNTS: Final = {"c": "cpu", "m": "memory", "r": "restarts"}


@frozen
class Board:
    """What the machines said when they were asked last.

    @ivar names: what machines are called.
    @ivar trouble: why it may not be all there is.
    """

    answers: Answers[Sequence[Instance]]
    names: Mapping[str, str]
    trouble: str = ""

    def rows(self, order: str = "c") -> list[tuple[str, ...]]:
        """A line for each instance, the greatest first; those alike by name.

        @param order: one of L{ORDERS}.
        """
        found = [
            (-_amount(each, order), self.names.get(machine, machine), row(each))
            for machine, instances in self.answers.given.items()
            for each in instances
        ]
        return [(machine, *cells) for _, machine, cells in sorted(found)]

    def summary(self) -> str:
        """One line on all of it."""
        found = [each for instances in self.answers.given.values() for each in instances]
        machines = f"machines: {len(self.answers.given)}"
        silent = len(self.answers.missing)
        return ", ".join(
            [
                f"{machines} ({silent} more without an answer)" if silent else machines,
                f"instances: {len(found)}",
                f"ready: {sum(each.get('phase') == 'ready' for each in found)}",
                f"CPU: {share(sum(_amount(each, 'c') for each in found))}",
                f"memory: {size(sum(_amount(each, 'm') for each in found))}",
            ]
        )

    def notes(self) -> list[str]:
        """Sentences on what is missing."""
        return [*self.answers.sentences(self.names), *([self.trouble] if self.trouble else [])]


def row(instance: Instance) -> tuple[str, ...]:
    """An instance's cells, but for the machine's."""
    pid, restarts = instance.get("pid"), instance.get("restarts")
    takes = instance if pid else {}  # what does not run, takes nothing
    return (
        str(instance.get("slot", "?")),
        str(instance.get("phase", "?")),
        str(pid or ""),
        share(takes.get("cpu")),
        size(takes.get("memory")),
        span(takes.get("uptime")),
        "" if restarts is None else str(restarts),
        str(instance.get("why") or ""),
    )


def _amount(instance: Instance, order: str) -> float:
    """What decides on a place; by name, nothing."""
    return float(instance.get(AMOUNTS[order]) or 0) if order in AMOUNTS else 0.0
