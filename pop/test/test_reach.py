"""Where a service is, in the words of operators."""

from pop.cli.reach import Places, placed, places
from pop.errors import NoSuchService, NotDeployed, UnknownMachine
from pop.model import Machine, Status
from pop.test.clusters import ClusterTestCase


class PlacesTests(ClusterTestCase):
    """A service on m1 and m2, which are the hosts alpha and beta; m3 and m4 are on one host."""

    def begin(self) -> None:
        super().begin()
        for id, host in (("m1", "alpha"), ("m2", "beta"), ("m3", "gamma"), ("m4", "gamma")):
            self.put(f"/machines/{id}", Machine(id, host).to_json())
        self.deploy("web", "m1", "m2")

    def places(self, *chosen: str) -> Places:
        """Where it is."""
        return self.run_(places(self.cluster, "web", chosen))

    def test_everywhere(self) -> None:
        """It is where it is deployed, and where it is reported of; machines go by host."""
        self.put("/services/web/status/m3", Status("stopping").to_json())
        found = self.places()
        self.assertEqual(("m1", "m2", "m3"), found.machines)
        self.assertEqual("alpha, beta, m3, m9", found.said(("m1", "m2", "m3", "m9")))

    def test_chosen(self) -> None:
        """Machines are chosen by id or host, each once."""
        self.assertEqual(("m2", "m1"), self.places("beta", "m1", "beta").machines)
        error = self.fails(UnknownMachine, places(self.cluster, "web", ["delta"]))
        self.assertIn('"delta"', str(error))

    def test_nowhere(self) -> None:
        """A service that is not there, or nowhere, is refused as that."""
        self.deploy("idle")
        self.fails(NotDeployed, places(self.cluster, "idle"))
        self.fails(NoSuchService, places(self.cluster, "nope"))

    def test_several(self) -> None:
        """Whether there may be several processes is known from the settings and the reports."""
        self.assertFalse(self.places().several())
        status = Status("ready", processes=({"name": "web"}, {"name": "web/2"}))
        self.put("/services/web/status/m1", status.to_json())
        self.assertTrue(self.places().several())
        self.deploy("many", "m1", argv="true", processes=2)
        self.assertTrue(self.run_(places(self.cluster, "many")).several())

    def test_placed(self) -> None:
        """It is told when it is deployed elsewhere, too."""
        changed = self.run_(placed(self.cluster, "web"))
        self.assertNoResult(changed)
        self.run_(self.cluster.deploy("web", ["m3"]))
        self.server.settle()
        self.successResultOf(changed)
