"""A framework with configurations, for tests, and those who are told of them."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed

from pop.components import configuration
from pop.components.configuration.admin import (
    SERVICE_CONFIGADMIN_MANAGED,
    SERVICE_CONFIGADMIN_MANAGED_FACTORY,
    SERVICE_CONFIGURATION_ADMIN,
    ConfigurationAdmin,
)
from pop.components.framework import Framework
from pop.components.registry import ServiceRegistration
from pop.test.bundles import BundleCase
from pop.test.frameworks import FrameworkTestCase


class Managed:
    """Notes what it is told, without the PIDs, and spoils it; then does what it is told to.

    @ivar then: is called with the properties, and what it returns is returned.
    """

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.then: Any = None

    def updated(self, *given: Any) -> Any:
        """For the administration: C{(properties)}, or C{(pid, properties)} for a factory."""
        properties = given[-1]
        if properties is None:
            self.told.append(None)
        else:
            plain = {
                name: value for name, value in properties.items() if not name.startswith("service.")
            }
            self.told.append(plain if len(given) == 1 else (given[0], plain))
            properties["spoiled"] = True
            properties.get("list", []).append("spoiled")
        return None if self.then is None else self.then(properties)

    def deleted(self, pid: str) -> None:
        """For the administration."""
        self.told.append((pid, None))

    def take(self) -> list[Any]:
        """What was told since the last time."""
        told, self.told = self.told, []
        return told


class Keeper:
    """Keeps configurations in memory, and takes its time."""

    def __init__(self, **kept: Any) -> None:
        self.kept = kept
        self.result: Deferred[None] = succeed(None)

    def get_pids(self) -> list[str]:
        """For the administration."""
        return list(self.kept)

    def load(self, pid: str) -> Any:
        """For the administration."""
        return self.kept[pid]

    def store(self, pid: str, properties: Any) -> Deferred[None]:
        """For the administration."""
        self.kept[pid] = properties
        return self.result

    def delete(self, pid: str) -> Deferred[None]:
        """For the administration."""
        self.kept.pop(pid, None)
        return self.result


def admin_of(framework: Framework) -> ConfigurationAdmin:
    """What administers the configurations of a framework."""
    context = framework.get_bundle_context()
    reference = context.get_service_reference(SERVICE_CONFIGURATION_ADMIN)
    assert reference is not None
    found: ConfigurationAdmin = context.get_service(reference)
    return found


class ConfigurationCase(BundleCase):
    """A framework with configurations, kept in a folder of the test's own."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.path) / "conf"
        self.framework.add_property(configuration.CONFIGURATION_FOLDER, str(self.folder))
        self.bundle = self.context.install_bundle(configuration.__name__)
        self.done(self.bundle.start())
        self.admin = admin_of(self.framework)

    def manage(self, pid: str = "a", factory: bool = False) -> tuple[Managed, ServiceRegistration]:
        """Register somebody who is managed under a PID."""
        managed = Managed()
        name = SERVICE_CONFIGADMIN_MANAGED_FACTORY if factory else SERVICE_CONFIGADMIN_MANAGED
        return managed, self.context.register_service(name, managed, {"service.pid": pid})

    def update(self, pid: str = "a", **properties: Any) -> bool:
        """Replace the properties of a configuration; whether that was anything new."""
        new: bool = self.done(self.admin.get_configuration(pid).update(properties))
        return new

    def again(self) -> None:
        """Stop everything, and start it afresh with what is kept."""
        self.done(self.bundle.stop())
        self.done(self.bundle.start())
        self.admin = admin_of(self.framework)


class ConfiguredCase(FrameworkTestCase):
    """A framework with components and configurations, which are not kept."""

    def setUp(self) -> None:
        super().setUp()
        self.framework.add_property(configuration.NO_FOLDER, True)
        self.bundle = self.context.install_bundle(configuration.__name__)
        self.successResultOf(self.bundle.start())
        self.admin = admin_of(self.framework)

    def update(self, pid: str = "a", **properties: Any) -> None:
        """Replace the properties of a configuration; C{__} stands for a dot in names."""
        given = {name.replace("__", "."): value for name, value in properties.items()}
        self.successResultOf(self.admin.get_configuration(pid).update(given))

    def delete(self, pid: str = "a") -> None:
        """Delete a configuration."""
        self.successResultOf(self.admin.get_configuration(pid).delete())
