"""What this machine should run, kept on disk: for when ZooKeeper is away at the agent's start."""

from collections.abc import Mapping

from pop.documents import from_text, to_document
from pop.errors import BadFile
from pop.files import Record
from pop.model import Contents, Json, Service, dump


class Snapshot:
    """The services of one machine, as its agent last understood them."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._read: dict[str, Service] | None = None

    def keep(self, services: Mapping[str, Service]) -> None:
        """Remember them; what has not changed is not written again."""
        self._read = None
        self._record.write(to_document(Contents(tuple(services.values()))))

    def read(self) -> dict[str, Service]:
        """What was remembered last: by this agent or by another; nothing, if that is damaged."""
        if self._read is None:
            self._read = self._understand(self._record.read())
        return self._read

    def _understand(self, found: Json | None) -> dict[str, Service]:
        try:
            contents = from_text("snapshot", dump({} if found is None else found).decode())
        except BadFile:
            return {}
        return {service.name: service for service in contents.services}
