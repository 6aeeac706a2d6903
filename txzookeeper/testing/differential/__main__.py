"""Compare the embedded server with a real one, for many steps: see ``--help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyFailure

from txzookeeper.testing.differential.choices import plays
from txzookeeper.testing.differential.play import Difference, Theatre
from txzookeeper.testing.differential.steps import Step
from txzookeeper.testing.real import HOW_TO_GET_ONE, available

LENGTH = 60
"""About how many steps a play has."""


def main(arguments: Sequence[str]) -> int:
    """Play until there are steps enough or a difference; the exit status says which."""
    parser = argparse.ArgumentParser(prog="python -m txzookeeper.testing.differential")
    parser.description = "Ask the embedded ZooKeeper and a real one the same, and compare."
    parser.add_argument("--steps", type=int, default=20_000, help="about how many")
    parser.add_argument("--seed", type=int, default=0, help="another one, other steps")
    parser.add_argument(
        "--restarts", type=int, default=0, help="how often both restart in a play; then it is slow"
    )
    options = parser.parse_args(arguments)
    if not available():
        print(HOW_TO_GET_ONE, file=sys.stderr)
        return 2
    theatre = Theatre()
    theatre.open()
    try:
        _play(theatre, options)
    except Difference as error:
        print(error)
        return 1
    except FlakyFailure as error:
        print("This happens at times:", error.exceptions[0], sep="\n")
        return 1
    finally:
        theatre.close()
    print(f"{theatre.steps} steps, and no difference.")
    return 0


def _play(theatre: Theatre, options: argparse.Namespace) -> None:
    @seed(options.seed)
    @settings(
        max_examples=max(options.steps // LENGTH, 1),
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(plays(LENGTH, options.restarts))
    def run(play: list[Step]) -> None:
        theatre.play(play, durable=options.restarts > 0)

    run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
