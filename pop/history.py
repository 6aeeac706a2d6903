"""History: what the instances of this machine went through lately, and its way into the journal."""

from collections.abc import Callable, Mapping, Sequence

from pop.instance import Instance
from pop.journal import Entry, short
from pop.life import Life
from pop.model import Change
from pop.summary import phase_of

LAST = 3
"""How many changes a service's status tells of."""
LONGEST = 200
"""Characters that it has for each."""


class History:
    """The last few changes of each service, of which the journal keeps more.

    @param add: takes each entry.
    @param when: makes a time of day from an instance's seconds.
    @param known: what a predecessor wrote, by service.
    """

    def __init__(
        self,
        add: Callable[[Entry], None],
        when: Callable[[float], str],
        known: Mapping[str, Sequence[Entry]],
    ) -> None:
        self._add = add
        self._when = when
        self._known = {name: list(entries) for name, entries in known.items()}

    def note(self, service: str, instance: Instance, now: float, change: Change) -> None:
        """Something about an instance changed.

        @param change: in ZooKeeper, if that is the reason.
        """
        before, life = instance.before, instance.life
        if _same(before, life):
            return
        ended = before.pid is not None and before.pid != life.pid
        entry = Entry(
            when=self._when(now),
            slot=instance.name,
            before=before.phase.value,
            after=phase_of(instance).value,
            why=life.reason,
            pid=life.pid,
            exit=instance.ended if ended else "",
            log=instance.wrote if before.pid != life.pid else None,
            restarts=life.restarts,
            failures=life.failures.in_a_row,
            until="" if instance.until is None else self._when(instance.until),
            zxid=change.zxid,
            by=change.by,
        )
        self._add(entry)
        known = self._known.setdefault(service, [])
        known.append(entry)
        del known[:-LAST]

    def short(self, service: str) -> tuple[str, ...]:
        """The last changes of a service, for its status."""
        return short(self._known.get(service, ()), LAST, LONGEST)


def _same(before: Life, after: Life) -> bool:
    """Whether nothing happened that is worth telling: what a program says of itself is not."""
    return (before.phase, before.pid, before.why) == (after.phase, after.pid, after.why)
