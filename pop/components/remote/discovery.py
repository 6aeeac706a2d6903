"""The bundle that finds the endpoints of other frameworks at places that are known.

They are listed by the property C{pop.remote.peers}, of the framework or of a component of the
factory C{pop-remote-discovery}, as Twisted describes client endpoints: C{unix:/run/shop.sock},
C{tls:shop.example.org:9000}; as a list, or with blanks between them. Whatever can be called there,
while there is a connection, is known to this framework.
"""

from typing import Any

from twisted.logger import Logger

from pop.components.callbacks import Invalidate, Validate
from pop.components.decorators import ComponentFactory, Instantiate, Property
from pop.components.errors import BundleException
from pop.components.remote.imports import Imports
from pop.components.remote.link import Link, Links
from pop.components.remote.names import SERVICE_LINKS, SERVICE_REGISTRY, addresses
from pop.components.requires import Requires

log = Logger()


@ComponentFactory("pop-remote-discovery")
@Requires("_imports", SERVICE_REGISTRY)
@Requires("_links", SERVICE_LINKS)
@Property("_peers", "pop.remote.peers", ())
@Instantiate("pop-remote-discovery")
class Discovery:
    """Tells the registry of imports what the frameworks at some addresses export.

    One that can be reached in several ways is known as long as there is one of them.
    """

    _imports: Imports
    _links: Links
    _peers: Any

    def __init__(self) -> None:
        self._taken: list[Link] = []

    @Validate
    def validate(self, context: Any) -> None:
        """Begin to look. What is no address is logged."""
        for address in addresses(self._peers):
            try:
                link = self._links.seek(address)
            except BundleException as error:
                log.error("{error}", error=error)
                continue
            self._taken.append(link)
            link.follow(self._look)
            for uid in list(link.endpoints):
                self._look(uid)

    @Invalidate
    def invalidate(self, context: Any) -> None:
        """Look no more, and know nothing of what is there."""
        taken, self._taken = self._taken, []
        found = {uid for link in taken for uid in link.endpoints}
        for link in taken:
            link.leave(self._look)
            self._links.forsake(link)
        for uid in found:
            self._look(uid)

    def _look(self, uid: str) -> None:
        """An endpoint came, changed, or went."""
        if (found := self._links.find(uid)) is None:
            self._imports.remove(uid)
        elif not self._imports.add(found):
            self._imports.replace(found)
