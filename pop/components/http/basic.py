"""The bundle of the web server: its components listen, and hand requests to servlets."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IReactorTCP
from twisted.logger import Logger

from pop.components import http
from pop.components.callbacks import (
    ARG_BUNDLE_CONTEXT,
    ARG_COMPONENT_CONTEXT,
    ARG_PROPERTIES,
    Invalidate,
    ValidateComponent,
)
from pop.components.component import Component
from pop.components.context import BundleContext
from pop.components.decorators import ComponentFactory, Property, Provides
from pop.components.http.errors import CannotListen, NoReactor
from pop.components.http.face import HttpService
from pop.components.http.pages import Pages
from pop.components.http.renewal import Renewal
from pop.components.http.server import Server
from pop.components.http.servlets import Servlets
from pop.components.http.settings import Settings, read_settings
from pop.components.http.site import Site
from pop.components.http.whiteboard import Whiteboard
from pop.components.requires import RequiresBest

if TYPE_CHECKING:
    from pop.components.http.guard import Guard

log = Logger()
GRACE = 5.0
"""Seconds that an answer may take after the server was told to stop."""
SECRET = 6
"""Bytes of what names an error."""


@ComponentFactory(http.FACTORY_HTTP_BASIC)
@Provides(http.HTTP_SERVICE, factory=True)
@RequiresBest("custom", http.HTTP_ERROR_PAGES, optional=True)
@Property("address", http.HTTP_SERVICE_ADDRESS, "0.0.0.0")
@Property("port", http.HTTP_SERVICE_PORT, 8080)
@Property("secure", http.HTTP_USES_SSL, False)
@Property("_endpoint", http.HTTP_ENDPOINT)
@Property("_certificate", http.HTTPS_CERT_FILE)
@Property("_key", http.HTTPS_KEY_FILE)
@Property("_debug", http.HTTP_DEBUG_ERRORS, False)
@Property("_limit", http.HTTP_MAX_BODY_SIZE, 1 << 20)
@Property("_timeout", http.HTTP_SOCKET_TIMEOUT, 60.0)
@Property("_most", http.HTTP_MAX_CONNECTIONS, 512)
@Property("_auth", http.HTTP_AUTH)
@Property("_case_sensitive", http.HTTP_CASE_SENSITIVE_PATHS, True)
class WebServer:
    """A web server: valid while it listens, and registered for those who bring servlets of their
    own."""

    address: str
    port: int
    secure: bool
    custom: Any

    def __init__(self) -> None:
        self._faces: dict[Any, HttpService] = {}
        self._site: Site | None = None
        self._pages: Pages
        self._servlets: Servlets
        self._whiteboard: Whiteboard
        self._listening: IListeningPort | None = None
        self._renewal: Renewal | None = None

    @ValidateComponent(ARG_BUNDLE_CONTEXT, ARG_COMPONENT_CONTEXT, ARG_PROPERTIES)
    async def listen(
        self, context: BundleContext, component: Component, properties: Mapping[str, Any]
    ) -> None:
        """Listen, and give requests to the servlets that are registered.

        @raise BadSetting: a property makes no sense.
        @raise NoSuchGuard: nobody knows names and passwords there.
        @raise CannotListen: somebody else listens there, or a file is missing.
        """
        settings = read_settings(component.name, properties)
        if self._renewal is None:
            self._renewal = Renewal(component)
            component.handlers.append(self._renewal)
        patience = context.get_framework().patience
        reactor: Any = patience.clock
        if not IReactorTCP.providedBy(reactor):
            raise NoReactor(server=component.name)
        self._pages = Pages(lambda: self.custom)
        told = {http.PARAM_NAME: component.name}
        self._servlets = Servlets(patience, told, settings.case_sensitive)
        self._whiteboard = Whiteboard(context, self._servlets)
        await self._listen(reactor, settings, component.name)
        self._whiteboard.open()

    async def _listen(self, reactor: Any, settings: Settings, name: str) -> None:
        limits = settings.limit, settings.debug, _guard(settings, name)
        server = Server(self._servlets, self._pages, _new_id, *limits)
        answers = server.serve, server.refuse, server.limit_of, server.admit
        site = Site(*answers, reactor, settings.timeout, settings.most)
        try:
            self._listening = await serverFromString(reactor, settings.endpoint).listen(site)
        except Exception as error:  # whatever parses, opens files and listens
            reason = getattr(error, "socketError", error)
            reason = getattr(reason, "strerror", None) or str(reason).rstrip(".")
            raise CannotListen(server=name, where=settings.endpoint, reason=reason) from error
        self._site = site
        self._say_where(settings)

    def _say_where(self, settings: Settings) -> None:
        """For those who look at the registration, and for servlets; that is no change."""
        listening: Any = self._listening
        assert self._renewal is not None  # it is validated
        due = self._renewal.due
        where = listening.getHost()
        self.address, self.port = getattr(where, "host", ""), getattr(where, "port", 0)
        self.secure = settings.secure
        self._renewal.due = due
        self._servlets.server.update(
            {
                http.PARAM_ADDRESS: self.address,
                http.PARAM_PORT: self.port,
                http.PARAM_HTTPS: self.secure,
            }
        )

    @Invalidate
    async def stop(self, context: BundleContext) -> None:
        """Take no more requests, and let those that are being answered have their answers."""
        listening, self._listening = self._listening, None
        site, self._site = self._site, None
        if self._renewal is not None:
            self._renewal.due = False
        if listening is None or site is None:
            return
        await maybeDeferred(listening.stopListening)
        await site.finish(GRACE)
        self._whiteboard.close()
        self._servlets.clear()

    # For those who require a server

    def get_service(self, bundle: Any, registration: Any) -> HttpService:
        """For the registry: the server as a bundle sees it."""
        face = self._faces[bundle] = HttpService(self._servlets, self._pages)
        return face

    def unget_service(self, bundle: Any, registration: Any) -> None:
        """For the registry: the bundle has let it go."""
        self._faces.pop(bundle).release()


def _guard(settings: Settings, name: str) -> "Guard | None":
    if not settings.auth:
        return None
    from pop.components.http.guard import Guard  # few want it, and it takes long
    from pop.components.passwords import guard

    if settings.public:
        log.warn(
            "The web server {name} asks for passwords that others can read: use TLS", name=name
        )
    return Guard(guard(settings.auth))


def _new_id() -> str:
    return secrets.token_hex(SECRET)
