"""Reasons: what a plan says of each step, with who did that, as far as it is known."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from pop.causes import HELD
from pop.model import Change, Service
from pop.reasons import NO_CHANGE, Reasons
from pop.watch import Wanted

DEPLOYED, SET, AIMED = Change(16, "ann"), Change(32, "bob"), Change(48, "cat")
WEB = Service(
    "web",
    "command",
    {"argv": "serve"},
    ("m1",),
    changes={"machines": DEPLOYED, "settings": SET, "target": AIMED},
)
OTHER = replace(WEB, settings={"argv": "other"})


def wanted(*services: Service, **left: Change) -> Wanted:
    """What a machine should run, and what left it by which change."""
    return Wanted({service.name: service for service in services}, left=left)


class BecauseTests(SynchronousTestCase):
    """A machine that learns of its services."""

    def setUp(self) -> None:
        self.reasons = Reasons()

    def because(self, what: str, slot: str = "web") -> str:
        """The reason that is given."""
        return self.reasons.because(slot, what)

    def test_nodes(self) -> None:
        """Each reason is the change of the node that is meant by it, whichever slot it is for."""
        self.reasons.learn(wanted(WEB))
        for slot in ("web", "web/2"):
            for what, expected in (
                ("deployed", "deployed by ann at zxid 0x10"),
                ("settings changed", "settings changed by bob at zxid 0x20"),
                ("released", "released by cat at zxid 0x30"),
                ("restart asked", "restart asked by cat at zxid 0x30"),
            ):
                self.assertEqual(expected, self.because(what, slot))

    def test_settings(self) -> None:
        """It is said which settings changed since what was known before."""
        self.reasons.learn(wanted(WEB))
        self.reasons.learn(wanted(OTHER))
        self.assertEqual(
            "settings changed (argv) by bob at zxid 0x20", self.because("settings changed")
        )

    def test_type(self) -> None:
        """If its type changed as well, that is the reason."""
        self.reasons.learn(wanted(WEB))
        self.reasons.learn(wanted(replace(OTHER, type="python", changes={"type": AIMED})))
        self.assertEqual("type changed by cat at zxid 0x30", self.because("settings changed"))

    def test_mended(self) -> None:
        """What is started for the first time since it could not be run is not newly deployed."""
        self.reasons.learn(wanted(WEB))
        self.reasons.learn(wanted(OTHER))
        self.assertIn("settings changed (argv) by bob", self.because("deployed"))
        self.reasons.learn(wanted(OTHER))
        self.assertIn("deployed by ann", self.because("deployed"))

    def test_held(self) -> None:
        """Who holds it is named in place of the operator, if that is known."""
        self.reasons.learn(wanted(WEB))
        self.assertEqual("held by cat at zxid 0x30", self.because(HELD))
        nobody = replace(WEB, changes={"target": Change(48)})
        self.reasons.learn(wanted(nobody))
        self.assertEqual("held by the operator at zxid 0x30", self.because(HELD))

    def test_left(self) -> None:
        """What is not wanted here any more left by the change of where it is."""
        self.reasons.learn(wanted(WEB))
        self.reasons.learn(wanted(web=Change(64, "dan")))
        self.assertEqual("undeployed by dan at zxid 0x40", self.because("undeployed"))

    def test_deleted(self) -> None:
        """Of what is gone altogether, nobody knows who did it."""
        self.reasons.learn(wanted(WEB))
        self.reasons.learn(wanted())
        self.assertEqual("undeployed", self.because("undeployed"))

    def test_no_change(self) -> None:
        """What has its reason here, and not in ZooKeeper, is nobody's doing."""
        self.reasons.learn(wanted(WEB))
        self.assertEqual("the agent stops", self.because("the agent stops"))
        self.assertEqual(NO_CHANGE, self.reasons.change("web", "the agent stops"))


class ChangeTests(SynchronousTestCase):
    """What was given as a reason is found again in what an instance says."""

    def setUp(self) -> None:
        self.reasons = Reasons()
        self.reasons.learn(wanted(WEB))
        self.why = self.reasons.because("web", "deployed")

    def test_meant(self) -> None:
        """The change belongs to the reason that was given for it, whatever is added to that."""
        self.assertEqual(DEPLOYED, self.reasons.change("web", self.why))
        self.assertEqual(DEPLOYED, self.reasons.change("web", f"{self.why}; killed"))

    def test_another(self) -> None:
        """Another reason, and another service's, is none of it."""
        for name, why in (("web", "exited with status 1"), ("other", self.why), ("web", "")):
            self.assertEqual(NO_CHANGE, self.reasons.change(name, why))

    def test_unknown(self) -> None:
        """A reason of which the change is not known blames nobody."""
        self.reasons.learn(wanted(replace(WEB, changes={})))
        why = self.reasons.because("web", "deployed")
        self.assertEqual(("deployed", NO_CHANGE), (why, self.reasons.change("web", why)))

    def test_forgotten(self) -> None:
        """Of what is neither here nor elsewhere nothing is kept; of what left, the change is."""
        self.reasons.learn(wanted(web=DEPLOYED))
        self.assertEqual(DEPLOYED, self.reasons.change("web", self.why))
        self.reasons.learn(wanted())
        self.assertEqual(NO_CHANGE, self.reasons.change("web", self.why))
