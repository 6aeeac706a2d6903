"""The sample that the component framework started from, and the files that the guide shows."""

import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from pop.components.bundle import Bundle
from pop.test.checkout import MISSING, ROOT
from pop.test.frameworks import FrameworkTestCase

SHOWN = ROOT / "examples" / "components"


class SampleTests(FrameworkTestCase):
    """One bundle provides C{sample.hello}, the other requires it."""

    skip = MISSING

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(tempfile.mkdtemp(prefix="pop-sample-"))
        self.addCleanup(shutil.rmtree, self.path)
        for name in ("provider", "consumer"):
            shutil.copy(SHOWN / f"{name}.py", self.path)
            self.addCleanup(sys.modules.pop, name, None)
        self.output = StringIO()
        self.provider, self.consumer = (
            self.framework.install_bundle(name, str(self.path)) for name in ("provider", "consumer")
        )

    def printed(self, *deeds: Deferred[Any]) -> str:
        """What was printed since the last time."""
        for deed in deeds:
            self.successResultOf(deed)
        text = self.output.getvalue()
        self.output.seek(0)
        self.output.truncate()
        return text

    def start(self, *bundles: Bundle) -> None:
        """Start them in that order."""
        for bundle in bundles:
            self.successResultOf(bundle.start())

    def test_either_order(self) -> None:
        """In whatever order they start, the consumer says hello once the provider is there."""
        with redirect_stdout(self.output):
            self.start(self.provider, self.consumer)
            self.assertEqual("Hello, Consumer !\n", self.printed())
            self.assertEqual("Bye, Consumer !\n", self.printed(self.provider.stop()))
            self.assertEqual("", self.printed(self.consumer.stop()))
            self.start(self.consumer, self.provider)
            self.assertEqual("Hello, Consumer !\n", self.printed())
            self.assertEqual("Bye, Consumer !\n", self.printed(self.framework.stop()))

    def test_update(self) -> None:
        """When the provider's file has changed and is updated, the consumer says goodbye to the old
        and hello to the new, even if both are written within a second."""
        with redirect_stdout(self.output):
            self.start(self.provider, self.consumer)
            for old, new in (("Hello,", "Hi,"), ("Hi,", "Ho,")):
                self.printed()
                file = self.path / "provider.py"
                file.write_text(file.read_text().replace(f'"{old}"', f'"{new}"'))
                expected = f"Bye, Consumer !\n{new} Consumer !\n"
                self.assertEqual(expected, self.printed(self.provider.update()))
        self.assertHeard(
            *["INSTANTIATED hello-provider-auto", "VALIDATED hello-provider-auto"],
            *["INSTANTIATED hello-consumer-auto", "BOUND hello-consumer-auto"],
            "VALIDATED hello-consumer-auto",
            *self.updated * 2,
        )

    updated = (
        "INVALIDATED hello-consumer-auto",
        "UNBOUND hello-consumer-auto",
        "INVALIDATED hello-provider-auto",
        "KILLED hello-provider-auto",
        "INSTANTIATED hello-provider-auto",
        "BOUND hello-consumer-auto",
        "VALIDATED hello-consumer-auto",
        "VALIDATED hello-provider-auto",
    )

    def test_torn_update(self) -> None:
        """A file that cannot be loaded leaves the old provider at work: nobody says goodbye."""
        with redirect_stdout(self.output):
            self.start(self.provider, self.consumer)
            self.printed()
            for text in ("nonsense(", "undefined_name", "raise SystemExit"):
                (self.path / "provider.py").write_text(text)
                self.failureResultOf(self.provider.update())
                self.assertEqual("", self.printed())
