"""Resolution: what is wanted of services becomes what the slots of a machine should do."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from twisted.logger import Logger

from pop.catalogue import Catalogue
from pop.causes import HELD
from pop.errors import PopError
from pop.instances import Instances
from pop.model import Service
from pop.plan import Held, Unrunnable, Want
from pop.preparations import Preparations
from pop.program import Launch
from pop.slots import slots
from pop.watch import Wanted


class Resolution:
    """Works out what there is to do, each service once for each change of it.

    What makes no sense, or cannot be run here, is complained of once; what runs already goes on as
    it last made sense.

    @param complained: called with a service when there is something else to complain of, or nothing
        any more.
    """

    _log = Logger()

    def __init__(
        self,
        machine: str,
        catalogue: Catalogue,
        preparations: Preparations,
        instances: Instances,
        complained: Callable[[str], None],
    ) -> None:
        self._machine = machine
        self._catalogue = catalogue
        self._preparations = preparations
        self._instances = instances
        self._complained = complained
        self._resolved: dict[str, tuple[Service, Want]] = {}
        self._complaints: dict[str, str] = {}

    def service(self, name: str) -> Service | None:
        """What was last wanted of a service, if it should be here at all."""
        known = self._resolved.get(name)
        return known and known[0]

    def complaint(self, name: str) -> str:
        """Why a service cannot be run as it is wanted; nothing, if it can."""
        return self._complaints.get(name, "")

    def resolve(self, wanted: Wanted) -> dict[str, Want]:
        """What to do with each slot of the services that should be here."""
        self._resolved = {
            name: self._resolve(name, service) for name, service in wanted.services.items()
        }
        found = self._preparations.judge({name: w for name, (_, w) in self._resolved.items()})
        complaints = {name: str(problem) for name, problem in wanted.problems.items()}
        found |= {name: Unrunnable(complaints[name]) for name in wanted.undefined}
        complaints |= {name: w.why for name, w in found.items() if isinstance(w, Unrunnable)}
        self._complain(complaints)
        return {slot: w for name, want in found.items() for slot, w in self._slots(name, want)}

    def _resolve(self, name: str, service: Service) -> tuple[Service, Want]:
        known = self._resolved.get(name)
        return known if known and known[0] == service else (service, self._want(service))

    def _want(self, service: Service) -> Want:
        if not service.target.run:
            return Held(HELD)
        try:
            return self._catalogue.launch(service, self._machine)
        except PopError as error:
            return Unrunnable(str(error))
        except Exception as error:  # a stranger's service type
            self._log.failure("The service type {type} failed", type=service.type)
            return Unrunnable(f"The service type failed: {type(error).__name__}: {error}")

    def _complain(self, complaints: dict[str, str]) -> None:
        """Log what is new."""
        before, self._complaints = self._complaints, complaints
        for name in before.keys() | complaints.keys():
            why = complaints.get(name)
            if why == before.get(name):
                continue
            if why:
                self._log.error("{service}: {why}", service=name, why=why)
            self._complained(name)

    def _slots(self, name: str, want: Want) -> Iterable[tuple[str, Want]]:
        running = self._running(name) if isinstance(want, Unrunnable) else {}
        return (running or in_slots(name, want)).items()

    def _running(self, name: str) -> dict[str, Want]:
        """What should run of a service by what it was last told."""
        every = ((each.name, each.want) for each in self._instances.of(name))
        return {slot: want for slot, want in every if isinstance(want, Launch)}


def in_slots(name: str, want: Want) -> Mapping[str, Want]:
    """One for each process of a service; one for what does not run."""
    if not isinstance(want, Launch):
        return {name: want}
    # How many there are is no difference to those that run.
    each = want if want.processes == 1 else replace(want, processes=1)
    return dict.fromkeys(slots(name, want.processes), each)
