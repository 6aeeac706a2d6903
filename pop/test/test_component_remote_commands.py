"""The bundle that starts all that exports and imports, and its commands."""

from typing import Any

from twisted.internet.defer import Deferred

from pop.components.bundle import BundleState
from pop.components.errors import NotStarted
from pop.components.framework import Framework
from pop.components.shell.core import SERVICE_SHELL
from pop.components.shell.session import Session
from pop.test.callers import CallCase, IEcho


class CommandsTests(CallCase):
    """At the shells of a framework that exports and of one that imports."""

    def setUp(self) -> None:
        super().setUp()
        for framework in (self.server, self.client):
            for name in ("shell.core", "remote.commands"):
                bundle = framework.install_bundle(f"pop.components.{name}")
                self.successResultOf(bundle.start())

    def said(self, line: str, framework: Framework | None = None, well: bool = True) -> str:
        """What a line at a shell has written, the exporting one's unless another is named."""
        context = (framework or self.server).get_bundle_context()
        reference = context.get_service_reference(SERVICE_SHELL)
        assert reference is not None
        shell = context.get_service(reference)
        written: list[str] = []
        doing = Deferred.fromCoroutine(shell.execute(line, Session(written.append)))
        self.network.settle()
        self.assertEqual(well, self.successResultOf(doing), written)
        return "".join(written)

    def test_lists(self) -> None:
        """What is exported and imported is listed, and shown by its name."""
        id = self.export(color="red").get_reference().id
        row = f"| echo | pop.test.callers.IEcho | {id:<12} | server    |"
        for command in ("rsa.listexports", "lexps"):
            said = self.said(command)
            self.assertIn(row, said)
            self.assertIn("1 export\n", said)
        self.assertIn("| echo | pop.test.callers.IEcho |", self.said("rsa.limps", self.client))
        shown = self.said("listimports echo", self.client)
        for line in (
            "Methods........: fail, later, say, soon\n",
            "Transport......: pop.remote\n",
            "\tcolor = red\n",
        ):
            self.assertIn(line, shown)

    def test_links(self) -> None:
        """Connections are listed, with what is the matter with them."""
        self.export()
        self.assertIn("| unix:/server | connected | 1", self.said("listlinks", self.client))
        del self.network.ports["/server"]
        self.network.cut()
        self.network.pass_(1)
        self.assertIn("nobody there | 0", self.said("listlinks", self.client))
        self.network.listenUNIX("/server", None)
        self.assertIn("| Address | State | Endpoints |", self.said("listlinks"))

    def test_export(self) -> None:
        """Anything can be exported at a shell, under another name, too, until that is taken
        back."""
        context = self.server.get_bundle_context()
        id = context.register_service(IEcho, self.echo).get_reference().id
        self.assertEqual(
            "Exported as mine\n", self.said(f"rsa.exportservice {id} endpoint.name=mine")
        )
        self.assertEqual([1, {}], self.answer(self.find().say(1)))
        self.said("rsa.unexportservice mine")
        self.network.settle()
        self.assertIs(None, self.find())

    def test_export_twice(self) -> None:
        """What was exported twice is taken back at once, as at a shell it is one."""
        context = self.server.get_bundle_context()
        id = context.register_service(IEcho, self.echo).get_reference().id
        for _ in range(2):
            self.said(f"rsa.exportservice {id} endpoint.name=mine")
        self.said("rsa.unexportservice mine")
        self.network.settle()
        self.assertIs(None, self.find())

    def test_refused(self) -> None:
        """What cannot be is said in a sentence."""
        self.export()
        for line, words in (
            ("rsa.exportservice 999", "There is no registration 999."),
            ("rsa.exportservice x", "There is no registration x."),
            ("rsa.unexportservice x", "No endpoint is x."),
            ("rsa.unexportservice echo", "wants to be by its own properties"),
            ("rsa.listexports x", "No endpoint is x."),
        ):
            self.assertIn(words, self.said(line, well=False))
        said = self.said("rsa.exportservice 1 service.exported.configs=other")
        self.assertIn("Nothing here can export", said)

    def test_stopped(self) -> None:
        """Without what exports that is said; what was exported at a shell goes with the
        commands."""
        id = self.export(spec="other").get_reference().id
        context = self.server.get_bundle_context()
        id = context.register_service(IEcho, self.echo).get_reference().id
        self.said(f"rsa.exportservice {id}")
        bundle = self.server.get_bundle_by_name("pop.components.remote.commands")
        assert bundle is not None
        self.successResultOf(bundle.stop())
        self.network.settle()
        self.assertIs(None, self.find())
        self.successResultOf(bundle.start())
        core = self.server.get_bundle_by_name("pop.components.remote.core")
        assert core is not None
        self.successResultOf(core.stop())
        self.assertIn("Start the bundle pop.components.remote.", self.said("lexps", well=False))


class WholeTests(CallCase):
    """C{pop.components.remote} as a bundle."""

    def framework(self, **properties: Any) -> Framework:
        """With nothing else in it."""
        given = {f"pop.remote.{name}": value for name, value in properties.items()}
        framework = Framework(given, clock=self.network, environment={})
        self.successResultOf(framework.start())
        self.addCleanup(self.stop, framework)
        return framework

    def test_whole(self) -> None:
        """It starts all others, and with it they stop."""
        self.export()
        framework = self.framework(peers="unix:/server unix:/nobody")
        bundle = framework.install_bundle("pop.components.remote")
        self.successResultOf(bundle.start())
        self.network.settle()
        self.assertEqual([1, {}], self.answer(self.find(framework=framework).say(1)))
        stopping = bundle.stop()
        self.network.settle()
        self.successResultOf(stopping)
        self.assertEqual(
            {BundleState.RESOLVED}, {each.get_state() for each in framework.get_bundles()}
        )

    def test_fails(self) -> None:
        """If one of them cannot be started, none is, and it is said why."""
        framework = self.framework(listen="tcp:9000")
        bundle = framework.install_bundle("pop.components.remote")
        said = str(self.failureResultOf(bundle.start(), NotStarted).value)
        self.assertTrue(
            said.startswith(
                "The bundle pop.components.remote did not start: The bundle"
                " pop.components.remote.transport did not start: Calls may not be answered at"
            ),
            said,
        )
        self.assertEqual(
            {BundleState.RESOLVED}, {each.get_state() for each in framework.get_bundles()}
        )

    def test_shared(self) -> None:
        """What was started before stays when it stops."""
        framework = self.framework()
        ipopo = framework.install_bundle("pop.components.ipopo")
        self.successResultOf(ipopo.start())
        bundle = framework.install_bundle("pop.components.remote")
        self.successResultOf(bundle.start())
        self.successResultOf(bundle.stop())
        self.assertEqual(BundleState.ACTIVE, ipopo.get_state())
