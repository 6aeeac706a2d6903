"""Launches as JSON."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from pop.notes import launch_from_json, launch_to_json
from pop.policy import RLIMITS, Checks, Limits, Logs, Restarts
from pop.program import Launch, Program
from pop.recipe import Recipe

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
seconds = st.floats(0, 1e9)
maybe = st.none() | texts
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=3
)
variables = st.dictionaries(texts, texts, max_size=3)
few = st.lists(texts, max_size=2).map(tuple)
programs = st.builds(
    Program,
    argv=st.lists(texts, min_size=1, max_size=3).map(tuple),
    environment=variables,
    stdin=st.binary(max_size=5),
    notifies=st.booleans(),
    state=st.dictionaries(texts, json_values, max_size=3),
    recipe=st.none() | st.builds(Recipe, few, few, few, texts, texts, few),
)
rlimits = st.tuples(st.sampled_from(RLIMITS), st.integers(-1), st.integers(-1))
launches = st.builds(
    Launch,
    program=programs,
    environment=variables,
    directory=maybe,
    user=maybe,
    group=maybe,
    groups=st.lists(texts, max_size=2).map(tuple),
    umask=st.none() | st.integers(0, 0o777),
    limits=st.builds(
        Limits, st.lists(rlimits, max_size=2).map(tuple), st.none() | st.integers(1), st.none()
    ),
    sockets=st.lists(texts, max_size=2).map(tuple),
    processes=st.integers(1, 9),
    stop_signal=texts,
    grace_period=seconds,
    start_timeout=seconds,
    restarts=st.builds(Restarts, texts, st.integers(1), seconds),
    checks=st.builds(Checks, maybe, maybe, seconds, seconds, st.integers(1), st.integers(1)),
    logs=st.builds(Logs, st.integers(1), st.none() | seconds, st.integers(0)),
    stop_after=st.none() | seconds,
    generation=st.integers(0),
)


class LaunchTests(SynchronousTestCase):
    """To JSON and back."""

    # Its first text takes a table of all characters, which a busy machine is slow to make.
    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(launches)
    def test_round_trip(self, launch: Launch) -> None:
        """A launch that was noted equals the one that it was noted of, or it would be restarted."""
        self.assertEqual(launch, launch_from_json(json.loads(json.dumps(launch_to_json(launch)))))

    def test_other_versions(self) -> None:
        """What another version of pop noted is read as far as it is known here."""
        launch = Launch(Program(("sleep", "600")))
        noted = launch_to_json(launch)
        more = {**noted, "colour": "red", "checks": {**noted["checks"], "smell": 1}}
        self.assertEqual(launch, launch_from_json(more))
        self.assertEqual(launch, launch_from_json({"program": {"argv": ["sleep", "600"]}}))

    def test_broken(self) -> None:
        """What is no launch is not taken for one."""
        cases: list[dict[str, Any]] = [{}, {"program": {}}, {"program": None}, {"program": []}]
        for broken in cases:
            with self.assertRaises((ValueError, TypeError, KeyError)):
                launch_from_json(broken)
