"""A namespace as a file: YAML or JSON, strictly checked.

YAML is imported when it is met: agents only know JSON, and do without the memory that it takes.
"""

import json
from collections.abc import Mapping
from typing import Any

from pop.errors import BadFile, BrokenNode, PopError
from pop.model import Contents, Json, Machine, Service, Target, dump, loads
from pop.paths import check_name


def to_document(contents: Contents) -> dict[str, Json]:
    """A namespace as one plain object."""
    return {
        "services": {
            service.name: {
                "type": service.type,
                "settings": dict(service.settings),
                "machines": list(service.machines),
                "target": service.target.to_object(),
            }
            for service in contents.services
        },
        "machines": {machine.id: machine.to_object() for machine in contents.machines},
    }


def to_yaml(document: Json) -> str:
    """The object as YAML, which reads some characters of other scripts as line ends."""
    import yaml

    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    if not any(character in text for character in "\x85\u2028\u2029\ufeff"):
        return text
    return yaml.safe_dump(document, sort_keys=False)


def from_text(path: str, text: str) -> Contents:
    """A namespace from a file's text.

    @raise BadFile: it is not what L{to_document} makes, with what is wrong and where.
    """
    reader = _Reader(path)
    document = reader.parse(text)
    try:
        reader.known("the file", document, {"services", "machines"})
        return Contents(
            tuple(
                reader.service(name, value)
                for name, value in reader.part("the file", document, "services", {}).items()
            ),
            tuple(
                reader.machine(id, value)
                for id, value in reader.part("the file", document, "machines", {}).items()
            ),
        )
    except BadFile:
        raise
    except BrokenNode as error:
        raise reader.bad(f"{error.fields['path']}: {error.fields['reason']}") from error
    except PopError as error:
        raise reader.bad(str(error).rstrip(".")) from error


class _Reader:
    """Reads the parts of one file, and names it in every refusal."""

    def __init__(self, path: str) -> None:
        self._path = path

    def bad(self, reason: str) -> BadFile:
        return BadFile(path=self._path, reason=reason)

    def parse(self, text: str) -> dict[str, Any]:
        """JSON if it is that, else YAML, which takes some JSON for something else."""
        try:
            document = loads(text)
        except (ValueError, RecursionError):
            document = self._parse_yaml(text)
        found: dict[str, Any] = self.expect("the file", {} if document is None else document, dict)
        return found

    def _parse_yaml(self, text: str) -> Any:
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
            raise self.bad(f"{line}{error.problem}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise self.bad(" ".join(str(error).split())) from error
        except RecursionError as error:
            raise self.bad("it is nested too deeply") from error

    def service(self, name: Any, value: Any) -> Service:
        where = f'service "{name}"'
        check_name("service", self.expect(f"the name of {where}", name, str))
        self.known(where, self.expect(where, value, dict), {*_PARTS})
        machines = self.part(where, value, "machines", [])
        for machine in machines:
            check_name("machine", self.expect(f"{where}, machines", machine, str))
        target = self.plain(f"{where}, target", self.part(where, value, "target", {}))
        return Service(
            name=name,
            type=self.plain(where, self.expect(f"{where}, type", value.get("type"), str)),
            settings=self.plain(f"{where}, settings", self.part(where, value, "settings", {})),
            machines=tuple(dict.fromkeys(machines)),
            target=Target.from_json(f"{where}, target", dump(target)),
        )

    def machine(self, id: Any, value: Any) -> Machine:
        where = f'machine "{id}"'
        check_name("machine", self.expect(f"the id of {where}", id, str))
        found = self.expect(where, {} if value is None else value, dict)
        try:
            return Machine.from_json(f"/{id}", dump(self.plain(where, found)))
        except BrokenNode as error:
            raise self.bad(f"{where}: {error.fields['reason']}") from error

    def plain(self, where: str, value: Any) -> Any:
        """YAML can say more than JSON, such as dates, and JSON more than UTF-8."""
        try:
            text = json.dumps(value, allow_nan=False, ensure_ascii=False)
            text.encode()
        except UnicodeEncodeError as error:
            raise self.bad(f"{where} has a text that is not Unicode") from error
        except (TypeError, ValueError, RecursionError) as error:
            raise self.bad(f"{where}: {error}") from error
        return json.loads(text)

    def part(self, where: str, value: Mapping[str, Any], key: str, default: Any) -> Any:
        """One part of a mapping; if it is not there, or empty, the default."""
        found = value.get(key)
        return self.expect(f"{where}, {key}", default if found is None else found, type(default))

    def expect(self, where: str, value: Any, kind: type) -> Any:
        if not isinstance(value, kind):
            raise self.bad(f"{where} should be {_SAID[kind.__name__]}, not {value!r}")
        return value

    def known(self, where: str, value: Mapping[str, Any], known: set[str]) -> None:
        for key in value:
            if key not in known:
                expected = ", ".join(sorted(known))
                raise self.bad(f'{where} has "{key}", which is none of {expected}')


_PARTS = ("type", "settings", "machines", "target")
_SAID = {"dict": "a mapping", "list": "a list", "str": "a text"}
