"""Who changed what: why an instance is started or stopped, for people.

Whoever changes a service with C{pop} leaves a name in the target node, in the same transaction. So
what was changed together with the target was changed by the one who is named there; what was
changed after it, by somebody who names nobody; and of what was changed before, it is not known any
more.
"""

from collections.abc import Mapping

from pop.model import By, Change, Service
from txzookeeper import Stat

HAND = "hand or another client"
"""Who it was, if the target does not name them."""
NAMED = 5
"""How many settings are named at most."""


def changes(by: By | None, stats: Mapping[str, Stat | None]) -> dict[str, Change]:
    """The last change of each of a service's nodes.

    @param by: who the target names.
    @param stats: of type, settings, machines and target, as far as they were read; L{None} for a
        missing node.
    """
    target = stats.get("target")
    named = target is not None and by is not None and by.version == target.version
    last = target.mzxid if target else 0
    others = max((s.mzxid for key, s in stats.items() if s and key != "target"), default=0)

    def who(key: str, zxid: int) -> str:
        if "target" not in stats:
            return ""
        if zxid > last or (zxid == last and not named):
            return HAND
        alone = key == "target" and others < last
        together = key != "target" and zxid == last
        return str(by) if alone or together else ""

    return {key: Change(s.mzxid, who(key, s.mzxid)) for key, s in stats.items() if s}


HELD = "held by the operator"
NODES = {
    "deployed": "machines",
    "undeployed": "machines",
    "released": "target",
    "restart asked": "target",
    HELD: "target",
    "settings changed": "settings",
    "type changed": "type",
}
"""The node whose change is meant, for what a plan gives as a reason."""


def said(what: str, change: Change | None) -> str:
    """What was done, by whom and when, as far as that is known."""
    if change is None or not change.zxid:
        return what
    by = f" by {change.by}" if change.by else ""
    return f"{what}{by} at zxid {change.zxid:#x}"


def difference(before: Service | None, after: Service) -> str:
    """Which settings changed: their names only, since a value may be a secret."""
    if before is None:
        return "settings changed"
    if before.type != after.type:
        return "type changed"
    old, new = before.settings, after.settings
    names = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"settings changed ({', '.join(names[:NAMED])}{more})" if names else "settings changed"
