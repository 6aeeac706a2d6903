"""Server-sent events, as the HTML standard has them: an answer that does not end.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import re
from typing import Final

MEDIA_TYPE: Final = "text/event-stream"
_LINE: Final = re.compile("\r\n|\r|\n")


def event_text(event: str | None = None, data: str | None = None, id: str | None = None) -> str:
    """One event.

    @param data: any text; it arrives with its lines ended by line feeds.
    @param id: where a browser that comes again says it had come to; empty, it forgets that.
    @raise ValueError: the name or the id of the event has several lines, or a null character.
    """
    lines = []
    for name, value in (("id", id), ("event", event)):
        if value is not None:
            if _LINE.search(value) or "\0" in value:
                raise ValueError(f"the {name} of an event is one line, not {value!r}")
            lines.append(f"{name}: {value}")
    lines += [f"data: {line}" for line in _LINE.split(data or "")]
    return "\n".join([*lines, "", ""])


def accepts(header: str) -> bool:
    """Whether whoever sent a header C{Accept} understands events."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in header.split(",")]
    return bool({MEDIA_TYPE, "text/*", "*/*"} & set(kinds))
