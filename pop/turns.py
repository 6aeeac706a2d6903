"""The turns of one machine: whatever must wait for its own here, by service."""

from collections.abc import Callable, Mapping, Sequence

from pop.alarm import Alarm
from pop.cluster import Cluster
from pop.gate import awaiting, outcome, rolling, settling, withheld
from pop.instance import Instance
from pop.model import Service
from pop.plan import Want
from pop.slots import service_of
from pop.turn import Ask, Turn


class Turns:
    """Holds back what must wait, and says of what was let through how it went.

    @param changed: called when more may be let through, or be known of what was.
    @param when: the time of day, for people.
    """

    def __init__(
        self,
        cluster: Cluster,
        machine: str,
        changed: Callable[[], None],
        when: Callable[[], str],
    ) -> None:
        self._cluster = cluster
        self._machine = machine
        self._changed = changed
        self._when = when
        self._turns: dict[str, Turn] = {}
        self._tried: dict[str, tuple[str, dict[str, Want]]] = {}
        self._alarm: Alarm | None = None

    def admit(
        self,
        wants: Mapping[str, Want],
        observed: Mapping[str, Want | None],
        services: Mapping[str, Service],
        *,
        current: bool,
    ) -> Mapping[str, Want]:
        """What may be done of what is wanted.

        @param services: those that are wanted here.
        @param current: whether this is all known for sure; if not, nothing may be that must wait.
        """
        waiting = awaiting(wants, observed)
        if not current:
            return withheld(wants, observed, waiting.keys())
        self._ask(waiting, rolling(wants), services)
        granted = {service for service, turn in self._turns.items() if turn.granted}
        self._try(granted, wants, services)
        return withheld(wants, observed, waiting.keys() - granted)

    def _ask(
        self, waiting: Mapping[str, int], rolling: set[str], services: Mapping[str, Service]
    ) -> None:
        for service in (waiting.keys() | rolling) - self._turns.keys():
            self._turns[service] = Turn(
                self._cluster, service, self._machine, self._changed, self._when
            )
        for service, turn in list(self._turns.items()):
            batch = waiting.get(service)
            turn.ask(Ask(services[service].version, batch) if batch else None)
            if turn.idle and service not in rolling:
                self._turns.pop(service).stop()

    def _try(
        self, granted: set[str], wants: Mapping[str, Want], services: Mapping[str, Service]
    ) -> None:
        """Take note of what is let through; of a service that left, nothing is to be done."""
        versions = {name: version for name, (version, _) in self._tried.items()}
        versions |= {name: service.version for name, service in services.items()}
        self._tried = {name: (versions.get(name, ""), {}) for name in granted}
        for slot, want in wants.items():
            if service_of(slot) in granted:
                self._tried[service_of(slot)][1][slot] = want

    def judge(self, service: str, instances: Sequence[Instance]) -> None:
        """See how what was let through goes."""
        if service in self._tried:
            version, wants = self._tried[service]
            fates = {each.name: (each.want, each.life) for each in instances}
            now = self._cluster.clock.seconds()
            why = outcome(wants, fates, now)
            if why is not None:
                self._turns[service].over(version, why)
                self._turns[service].ask(None)  # what is wanted by then is asked for anew
                del self._tried[service]
            else:
                self._wait(settling(fates.values(), now))

    def _wait(self, seconds: float) -> None:
        """Look again after a while, which for one of several services may be a little late."""
        if seconds > 0 and self._alarm is None:
            self._alarm = Alarm(self._cluster.clock, seconds, self._settled)

    def _settled(self) -> None:
        self._alarm = None
        self._changed()

    @property
    def tried(self) -> list[str]:
        """The services of which that is not known yet."""
        return list(self._tried)

    def stop(self) -> None:
        """Settle no more turns."""
        if self._alarm is not None:
            self._alarm.stop()
        for turn in self._turns.values():
            turn.stop()
