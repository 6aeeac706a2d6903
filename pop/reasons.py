"""Reasons: what a plan gives as one, with who did that and by which transaction."""

from collections.abc import Mapping

from pop.causes import HELD, NODES, difference, said
from pop.model import Change, Service
from pop.slots import service_of
from pop.watch import Wanted

NO_CHANGE = Change()


class Reasons:
    """What one machine's agent knows of who changed its services."""

    def __init__(self) -> None:
        self._before: dict[str, Service] = {}
        self._wanted = Wanted({})
        self._given: dict[str, tuple[str, Change]] = {}

    def learn(self, wanted: Wanted) -> None:
        """Take note of what is wanted now, beside what was wanted before."""
        self._before, self._wanted = dict(self._wanted.services), wanted
        known = wanted.services.keys() | wanted.left.keys()
        self._given = {name: given for name, given in self._given.items() if name in known}

    @property
    def services(self) -> Mapping[str, Service]:
        """Those that are wanted here, with their last changes."""
        return self._wanted.services

    def because(self, slot: str, what: str) -> str:
        """See L{pop.plan.Because}."""
        service = service_of(slot)
        before, now = self._before.get(service), self._wanted.services.get(service)
        if what == "deployed" and before and now and before.settings != now.settings:
            what = "settings changed"  # it was deployed before, but could not be run
        node = NODES.get(what)
        if node is None:
            return what
        if now is not None and node == "settings":
            what = difference(before, now)
            node = NODES.get(what, node)
        change = now.changes.get(node) if now else self._wanted.left.get(service)
        if what == HELD and change and change.by:
            what = "held"
        text = said(what, change)
        self._given[service] = (text, change or NO_CHANGE)
        return text

    def change(self, service: str, why: str) -> Change:
        """The change that is meant by a reason that was given."""
        given, change = self._given.get(service, ("", NO_CHANGE))
        return change if given and why.startswith(given) else NO_CHANGE
