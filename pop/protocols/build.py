"""The process that builds an environment: C{python -m pop.protocols.build}.

It reads from its standard input the recipe and where the environment is to be; it prints what the
installer prints, and leaves the heart of a failure in the file C{failure} beside.
"""

import os
import sys
from pathlib import Path

from pop.construction import construct, say, tidy
from pop.environments import FAILURE
from pop.errors import NotBuilt
from pop.installer import installer
from pop.model import loads
from pop.recipe import Recipe


def build(directory: Path, recipe: Recipe) -> int:
    """Build it; gives the exit status."""
    failure = directory / FAILURE
    failure.unlink(missing_ok=True)
    try:
        tidy(directory)
        construct(directory, recipe, installer(os.environ.get("PATH")), say)
    except NotBuilt as error:
        say(f"pop: {error}")
        failure.write_text(str(error.fields["reason"]), encoding="utf-8")
        return 1
    return 0


def main() -> None:
    """Build what the standard input says."""
    told = loads(sys.stdin.buffer.read())
    sys.exit(build(Path(told["directory"]), Recipe.from_object(told["recipe"])))


if __name__ == "__main__":
    main()
