"""The bundle of the web server, in a framework."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from pop.components import (
    ComponentFactory,
    Framework,
    Phase,
    Property,
    Provides,
    Requires,
    ServiceRegistration,
    Validate,
    use_ipopo,
)
from pop.components import http as names
from pop.components.http.errors import PathTaken
from pop.components.http.settings import read_settings
from pop.test.test_component_http_server import Echo, Slow
from pop.test.web import Far, body_of, code_of


class ServerCase(SynchronousTestCase):
    """A framework with a web server."""

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.framework = Framework(clock=self.reactor, environment={})
        self.context = self.framework.get_bundle_context()
        for name in ("pop.components.ipopo", "pop.components.http.basic"):
            self.framework.install_bundle(name)
        self.successResultOf(self.framework.start())

    def make(self, name: str = "web", **properties: Any) -> Any:
        """A server; its properties are named without C{pelix.http.}."""
        given = {f"pelix.http.{key}": value for key, value in properties.items()}
        with use_ipopo(self.context) as ipopo:
            ipopo.instantiate(names.FACTORY_HTTP_BASIC, name, {"pelix.http.port": 8080, **given})
            return ipopo.component(name)

    def register(self, servlet: Any, *paths: str, **properties: Any) -> ServiceRegistration:
        """A servlet at some paths."""
        said: Any = paths[0] if len(paths) == 1 else list(paths)
        return self.context.register_service(
            names.HTTP_SERVLET, servlet, {names.HTTP_SERVLET_PATH: said, **properties}
        )

    def connect(self) -> Far:
        """A connection to the last server."""
        factory = self.reactor.tcpServers[-1][1]
        far = Far()
        far.protocol = factory.buildProtocol(None)
        far.protocol.makeConnection(far)
        return far

    def code(self, target: str, *headers: str) -> int:
        """How a request is answered."""
        far = self.connect()
        code = code_of(far.ask(target, "GET", "", *headers))
        far.loseConnection()
        return code

    def service(self) -> Any:
        """The server, as the framework sees it."""
        reference = self.context.get_service_reference(names.HTTP_SERVICE)
        assert reference is not None
        return self.context.get_service(reference)


class ListenTests(ServerCase):
    """Where a server listens."""

    def test_port(self) -> None:
        """It listens at an address and a port, and says where."""
        self.make(address="127.0.0.1", port="8081")
        port, _, _, interface = self.reactor.tcpServers[0]
        self.assertEqual((8081, "127.0.0.1"), (port, interface))
        reference = self.context.get_service_reference(names.HTTP_SERVICE)
        assert reference is not None
        self.assertFalse(reference.get_property(names.HTTP_USES_SSL))

    def test_endpoint(self) -> None:
        """It listens wherever a description of Twisted's says."""
        self.make(endpoint="unix:/run/web.sock:mode=600")
        self.assertEqual("/run/web.sock", self.reactor.unixServers[0][0])
        self.assertEqual(("", 0), self.service().get_access())

    def test_nonsense(self) -> None:
        """A property that makes no sense is refused by name, without a traceback."""
        for key, value in {
            "port": "Abc",
            "port ": -1,
            "port  ": 65536,
            "debug": "maybe",
            "max_body_size": "much",
            "socket_timeout": -1,
            "max_connections": "few",
            "max_connections ": 0.5,
            "endpoint": "pigeon:1",
        }.items():
            component = self.make(f"web {key}", **{key.strip(): value})
            self.assertIs(Phase.ERRONEOUS, component.state)
            self.assertNotIn("Traceback", component.error_trace)
            name = f"pelix.http.{key.strip()}" if key != "endpoint" else "pigeon"
            self.assertIn(name, component.error_trace)
        self.assertEqual([], self.reactor.tcpServers)
        self.assertEqual([], self.flushLoggedErrors())

    def test_not_secure(self) -> None:
        """A server that is to speak TLS and has no certificate is refused, wherever it listens: it
        would be taken for a secure one."""
        for n, given in enumerate(({}, {"http.endpoint": "tcp:1"}, {"http.endpoint": "unix:/x"})):
            properties = {f"pelix.{key}": value for key, value in given.items()}
            with use_ipopo(self.context) as ipopo:
                ipopo.instantiate(
                    names.FACTORY_HTTP_BASIC, f"{n}", {names.HTTP_USES_SSL: True, **properties}
                )
                component = ipopo.component(f"{n}")
            self.assertIs(Phase.ERRONEOUS, component.state)
            self.assertIn(names.HTTPS_CERT_FILE, component.error_trace)
            self.assertNotIn("Traceback", component.error_trace)
        self.assertEqual([], self.reactor.tcpServers)

    def test_again(self) -> None:
        """What a server says of where it listens is nothing that it refuses when it begins anew."""
        for files in ({}, {names.HTTPS_CERT_FILE: "a.pem", names.HTTPS_KEY_FILE: "b.pem"}):
            for said in (False, bool(files)):
                given = {
                    names.HTTP_SERVICE_PORT: 8080,
                    names.HTTP_DEBUG_ERRORS: False,
                    names.HTTP_MAX_BODY_SIZE: 0,
                    names.HTTP_SOCKET_TIMEOUT: 0,
                    names.HTTP_MAX_CONNECTIONS: 0,
                    names.HTTP_CASE_SENSITIVE_PATHS: True,
                    names.HTTP_USES_SSL: said,
                    **files,
                }
                settings = read_settings("web", given)
                self.assertEqual(bool(files), settings.secure)
                given[names.HTTP_USES_SSL] = settings.secure
                self.assertEqual(settings, read_settings("web", given))

    def test_no_reactor(self) -> None:
        """Where there is no reactor to listen with, that is said."""
        framework = Framework()
        for name in ("pop.components.ipopo", "pop.components.http.basic"):
            framework.install_bundle(name)
        self.successResultOf(framework.start())
        with use_ipopo(framework.get_bundle_context()) as ipopo:
            ipopo.instantiate(names.FACTORY_HTTP_BASIC, "web", {})
            self.assertIn("clock=reactor", ipopo.component("web").error_trace)
        self.successResultOf(framework.stop())

    def test_changed(self) -> None:
        """When a property changes that it reads, it listens anew; others are nothing to it."""
        component = self.make(address="127.0.0.1", port=8081)
        component.set_properties({"color": "red"})
        self.assertEqual(1, len(self.reactor.tcpServers))
        component.set_properties({names.HTTP_SERVICE_PORT: 8082, names.HTTP_MAX_CONNECTIONS: 1})
        self.assertEqual((8082, Phase.VALID), (self.reactor.tcpServers[-1][0], component.state))
        self.connect()
        self.assertEqual(503, code_of(self.connect().ask()))

    def test_several(self) -> None:
        """There may be several servers, each with all the servlets that are registered."""
        self.register(Echo(), "/a")
        self.make("one", port=8001)
        self.make("two", port=8002)
        self.assertEqual([8001, 8002], [port for port, *_ in self.reactor.tcpServers])
        self.assertEqual(200, self.code("/a"))


class ServiceTests(ServerCase):
    """Servlets of those who require a server."""

    def setUp(self) -> None:
        super().setUp()
        self.make()

    def test_register(self) -> None:
        """A servlet answers from when it is registered until it is not."""
        server, servlet = self.service(), Echo()
        self.assertTrue(server.register_servlet("/a", servlet, {"x": 1}))
        self.assertEqual(["/a"], server.get_registered_paths())
        found = server.get_servlet("/a/b")
        self.assertEqual((servlet, 1, "/a"), (found[0], found[1]["x"], found[2]))
        self.assertEqual("web", found[1][names.PARAM_NAME])
        self.assertRaises(PathTaken, server.register_servlet, "/a", Echo())
        self.assertTrue(server.unregister("/a"))
        self.assertFalse(server.unregister("/a"))
        server.register_servlet("/b", servlet)
        self.assertTrue(server.unregister(None, servlet))
        self.assertFalse(server.unregister(None))
        self.assertIsNone(server.get_servlet("/b"))

    def test_required(self) -> None:
        """Servlets and servers can be provided and required by their classes, as iPOPO has them."""

        @ComponentFactory("servlet")
        @Provides(names.Servlet)
        @Property("path", names.HTTP_SERVLET_PATH, "/provided")
        class Provider(Echo):
            """Is found."""

        @ComponentFactory("bringer")
        @Requires("server")
        class Bringer:
            """Brings another."""

            server: names.HTTPService

            @Validate
            def bring(self, context: Any) -> None:
                """Bring it."""
                self.server.register_servlet("/brought", Echo())

        with use_ipopo(self.context) as ipopo:
            for factory, kind in {"servlet": Provider, "bringer": Bringer}.items():
                ipopo.register_factory(self.context, kind)
                ipopo.instantiate(factory, factory)
            self.assertEqual([200, 200], [self.code(p) for p in ("/provided", "/brought")])
            ipopo.kill("bringer")
            self.assertEqual([200, 404], [self.code(p) for p in ("/provided", "/brought")])

    def test_forgotten(self) -> None:
        """What a bundle has forgotten to take back goes with its use of the server."""
        reference = self.context.get_service_reference(names.HTTP_SERVICE)
        assert reference is not None
        server = self.context.get_service(reference)
        server.register_servlet("/a", Echo())
        self.register(Echo(), "/b")
        self.context.unget_service(reference)
        self.assertEqual([404, 200], [self.code(path) for path in ("/a", "/b")])

    def test_pages(self) -> None:
        """Its pages about errors can be had."""
        self.assertIn("404 Not Found", self.service().make_not_found_page("/x"))
        self.assertIn("&lt;x&gt;", self.service().make_exception_page("/x", "<x>"))


class EndTests(ServerCase):
    """The end of a server."""

    def kill(self) -> Deferred[Any]:
        """End it."""
        with use_ipopo(self.context) as ipopo:
            killed: Deferred[Any] = ipopo.kill("web")
            return killed

    def test_answers(self) -> None:
        """What is being answered has its answer; connections that wait for nothing are closed."""
        self.make()
        slow = Slow()
        told: list[str] = []
        slow.unbound_from = lambda path, parameters: told.append(path)  # type: ignore[attr-defined]
        self.register(slow, "/")
        idle, far = self.connect(), self.connect()
        far.ask("/")
        killed = self.kill()
        self.assertNoResult(killed)
        self.assertEqual([False, True], [idle.connected, far.connected])
        slow.waiting.callback("the last")
        answer = far.take()
        self.assertEqual("the last", body_of(answer))
        self.assertIn("Connection: close", answer)
        self.assertFalse(far.connected)
        self.successResultOf(killed)
        self.assertEqual(["/"], told)
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_told_no_more(self) -> None:
        """What is registered after it is bound to it no more, nor is it when it listens again."""
        told: list[str] = []

        class Servlet(Echo):
            def bound_to(self, path: str, parameters: Any) -> None:
                told.append(parameters[names.PARAM_NAME])

        self.make()
        self.successResultOf(self.kill())
        self.register(Servlet(), "/")
        self.assertEqual([], told)
        self.make("other")
        self.assertEqual(["other"], told)

    def test_grace(self) -> None:
        """It waits for answers, but not for ever."""
        self.make()
        slow = Slow()
        self.register(slow, "/")
        far = self.connect()
        far.ask("/")
        killed = self.kill()
        self.reactor.advance(5)
        self.successResultOf(killed)
        self.assertTrue(far.aborted)
        self.assertEqual("cancelled", slow.ended)
        self.assertEqual([], self.reactor.getDelayedCalls())
