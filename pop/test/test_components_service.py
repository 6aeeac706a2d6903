"""A framework of components as a service that pop runs, for real."""

import shutil
from pathlib import Path

from twisted.internet.error import ProcessTerminated

from pop.errors import BadSetting
from pop.services.components import components
from pop.settings import validate
from pop.test.checkout import MISSING, ROOT
from pop.test.test_child import Tests


class ComponentsTests(Tests):
    """The sample, in a process of its own."""

    skip = MISSING

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp()).absolute()
        shutil.copytree(ROOT / "examples" / "components", self.path)

    async def test_runs(self) -> None:
        """It is ready once its bundles have started, says which they are, and ends in order."""
        process, witness = self.host(components, bundles="consumer provider", path=[str(self.path)])
        state = (await witness.ready()).state
        assert state
        self.assertEqual({"consumer": 11, "provider": 12}, state["bundles"])
        self.assertTrue(Path(state["shell"]).is_socket())
        self.assertIn("Hello, Consumer !", self.nursery.log().read_text())
        process.stop("TERM")
        await witness.ended
        self.assertIn("Bye, Consumer !", self.nursery.log().read_text())

    async def test_torn(self) -> None:
        """A bundle that does not start is a sentence, in its log too, and no traceback."""
        (self.path / "torn.py").write_text("import nothing_of_that_name\n")
        _, witness = self.host(components, bundles="provider torn", path=[str(self.path)])
        end = await witness.ended
        assert isinstance(end, ProcessTerminated)
        [notice] = witness.notices
        self.assertEqual((1, False), (end.exitCode, notice.ready))
        self.assertRegex(notice.status or "", "^The bundle torn cannot be imported.*nothing_of")
        text = self.nursery.log().read_text()
        self.assertIn("pop: The bundle torn cannot be imported", text)
        self.assertIn("nothing_of_that_name", text)
        self.assertNotIn("Traceback", text)

    def test_settings(self) -> None:
        """What cannot be modules is refused before anything is started; so is a path that begins
        where whoever said it happened to be."""
        for wrong in (
            *({"bundles": bundles} for bundles in ("", "a/b", "a, b", "-m")),
            *({"bundles": "a", "path": ["/opt", path]} for path in ("", ".", "lib", "~/lib")),
        ):
            self.assertRaises(BadSetting, validate, "components", components.settings, wrong)
