"""What listeners are told."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from pop.components.properties import Properties
from pop.components.reference import ServiceReference


class ServiceEventKind(IntEnum):
    """What can happen to a registration; the numbers are OSGi's."""

    REGISTERED = 1
    MODIFIED = 2
    UNREGISTERING = 4
    MODIFIED_ENDMATCH = 8


class BundleEventKind(IntEnum):
    """What can happen to a bundle; the numbers are Pelix's."""

    INSTALLED = 1
    STARTED = 2
    STOPPED = 4
    UPDATED = 8
    UNINSTALLED = 16
    UPDATE_BEGIN = 32
    UPDATE_FAILED = 64
    STARTING = 128
    STOPPING = 256
    STOPPING_PRECLEAN = 512
    """Its activator has stopped it, and what it left behind is about to be taken away."""


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """Something happened to a registration.

    C{MODIFIED} goes to those whose filter matches now, whether it did before or not;
    C{MODIFIED_ENDMATCH} to those whose filter does no more.

    @ivar previous: the properties before, of the two kinds of modification.
    """

    REGISTERED = ServiceEventKind.REGISTERED
    MODIFIED = ServiceEventKind.MODIFIED
    UNREGISTERING = ServiceEventKind.UNREGISTERING
    MODIFIED_ENDMATCH = ServiceEventKind.MODIFIED_ENDMATCH

    kind: ServiceEventKind
    reference: ServiceReference
    previous: Properties | None = None

    def get_kind(self) -> ServiceEventKind:
        """What happened."""
        return self.kind

    def get_service_reference(self) -> ServiceReference:
        """To which registration."""
        return self.reference

    def get_previous_properties(self) -> dict[str, Any] | None:
        """A copy of the properties before, if they were modified."""
        return None if self.previous is None else self.previous.as_dict()


@dataclass(frozen=True, slots=True)
class BundleEvent:
    """Something happened to a bundle.

    @ivar reason: why, of C{UPDATE_FAILED}, and of a C{STOPPED} that ends a start which failed.
    """

    INSTALLED = BundleEventKind.INSTALLED
    STARTED = BundleEventKind.STARTED
    STOPPED = BundleEventKind.STOPPED
    UPDATED = BundleEventKind.UPDATED
    UNINSTALLED = BundleEventKind.UNINSTALLED
    UPDATE_BEGIN = BundleEventKind.UPDATE_BEGIN
    UPDATE_FAILED = BundleEventKind.UPDATE_FAILED
    STARTING = BundleEventKind.STARTING
    STOPPING = BundleEventKind.STOPPING
    STOPPING_PRECLEAN = BundleEventKind.STOPPING_PRECLEAN

    kind: BundleEventKind
    bundle: Any
    reason: BaseException | None = field(default=None, compare=False)

    def get_kind(self) -> BundleEventKind:
        """What happened."""
        return self.kind

    def get_bundle(self) -> Any:
        """To which bundle."""
        return self.bundle
