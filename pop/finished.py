"""What has finished, kept on disk: the next agent shall not do it once more."""

from collections.abc import Mapping

from pop.events import Recalled
from pop.files import Record
from pop.model import Json
from pop.notes import launch_from_json, launch_to_json


class Finished:
    """The slots whose processes have ended and are not to be started again.

    @param record: good for as long as the machine runs: when it starts anew, so does everything.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    def keep(self, finished: Mapping[str, Recalled]) -> None:
        """Remember these, and no others."""
        if finished:
            self._record.write({name: _to_json(each) for name, each in finished.items()})
        else:
            self._record.remove()

    def read(self) -> dict[str, Recalled]:
        """What was remembered last; what makes no sense is passed over."""
        found = self._record.read()
        every = found.items() if isinstance(found, dict) else ()
        return {name: each for name, value in every if (each := _from_json(value))}


def _to_json(finished: Recalled) -> Json:
    launch = launch_to_json(finished.launch)
    return {"launch": launch, "how": finished.how, "success": finished.success}


def _from_json(found: Json) -> Recalled | None:
    try:
        launch = launch_from_json(found["launch"])
        return Recalled(launch, str(found["how"]), bool(found["success"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
