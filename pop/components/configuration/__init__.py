"""Configurations: properties that are kept under a PID, changed while everything runs, and told to
those who are managed under it.

This is the bundle; C{pop.components.shell.configuration} has the commands. The framework's property
C{configuration.folder} says where configurations are kept, C{./conf} if nothing does, and
C{pelix.configadmin.persistence.default.disable} that they are not. What people do to the files
there is taken over at once if the bundle C{pop.components.fileinstall} is there, too.
"""

from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from pop.components.bundle import BundleActivator
from pop.components.configuration.admin import SERVICE_CONFIGURATION_ADMIN, ConfigurationAdmin
from pop.components.configuration.bridge import Bridge
from pop.components.configuration.edits import Edits
from pop.components.configuration.persistence import SERVICE_CONFIGADMIN_PERSISTENCE, Folder
from pop.components.configuration.required import RequiredFactory
from pop.components.configured import HANDLER_CONFIGADMIN
from pop.components.context import BundleContext
from pop.components.fileinstall import PROP_FILEINSTALL_FOLDER, SERVICE_FILEINSTALL_LISTENERS
from pop.components.hooks import HANDLER_ID, SERVICE_HANDLER_FACTORY

CONFIGURATION_FOLDER: Final = "configuration.folder"
NO_FOLDER: Final = "pelix.configadmin.persistence.default.disable"


@BundleActivator
class Activator:
    """Registers a L{ConfigurationAdmin} and what keeps configurations."""

    def start(self, context: BundleContext) -> None:
        """What is kept is known before anybody can ask."""
        self._admin = admin = ConfigurationAdmin(context)
        if str(context.get_property(NO_FOLDER) or "no").lower() in ("no", "false", "0"):
            _keep(context, admin)
        admin.start()
        context.register_service(SERVICE_CONFIGURATION_ADMIN, admin)
        context.register_service(
            SERVICE_HANDLER_FACTORY, RequiredFactory(), {HANDLER_ID: HANDLER_CONFIGADMIN}
        )
        self._bridge = Bridge(context, admin)
        self._bridge.start()

    async def stop(self, context: BundleContext) -> None:
        """The components that configurations have asked for go first."""
        await self._bridge.stop()
        await self._admin.stop()


def _keep(context: BundleContext, admin: ConfigurationAdmin) -> None:
    """Have configurations kept in a folder, and what people write there taken over."""
    path = Path(context.get_property(CONFIGURATION_FOLDER) or "conf").absolute()
    reactor: Any = context.get_framework().patience.clock
    if IReactorThreads.providedBy(reactor):
        folder = Folder(path, partial(deferToThreadPool, reactor, reactor.getThreadPool()))
    else:
        folder = Folder(path)
    context.register_service(SERVICE_CONFIGADMIN_PERSISTENCE, folder)
    context.register_service(
        SERVICE_FILEINSTALL_LISTENERS,
        Edits(folder, admin),
        {PROP_FILEINSTALL_FOLDER: str(folder.path)},
    )
