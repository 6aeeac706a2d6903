"""A Plone's own process: makes its instance where it works, serves it, and does what tasks ask.

Its environment's Python runs this file as a script: there is no pop in there, only the standard
library and Plone. What it imports of that is imported by name, since pop itself has it not.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

CONTROL = "control"
"""The socket, in the instance's directory, at which tasks ask."""
PASSWORD = "admin-password"
"""The file, there too, with the password that was made for C{admin}."""
DATA = Path("var/filestorage/Data.fs")
BLOBS = Path("var/blobstorage")
LONGEST = 1 << 16

CONF = """\
%define INSTANCE {home}
instancehome $INSTANCE
pid-filename $INSTANCE/var/plone.pid
<zodb_db main>
  mount-point /
  cache-size 30000
  <blobstorage>
    blob-dir $INSTANCE/{blobs}
    <filestorage>
      path $INSTANCE/{data}
    </filestorage>
  </blobstorage>
</zodb_db>
<environment>
  CHAMELEON_CACHE $INSTANCE/var/cache
</environment>
"""
INI = """\
[app:zope]
use = egg:Zope#main
zope_conf = %(here)s/zope.conf

[server:main]
use = egg:waitress#main
host = {host}
port = {port}

[pipeline:main]
pipeline =
    egg:Zope#httpexceptions
    zope

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = plain

[logger_root]
level = INFO
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stdout,)
formatter = plain

[formatter_plain]
format = %(asctime)s %(levelname)s [%(name)s] %(message)s
"""


class Refusal(Exception):
    """What was asked cannot be done, and why."""


def make(home: Path, host: str, port: int) -> Path:
    """Make an instance, or see that it is as it should be; gives the file to serve it by.

    The data are left alone. A password is made before the database that has it.
    """
    for place in ("etc", "var/cache", DATA.parent, BLOBS):
        (home / place).mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(home / "etc/zope.conf", CONF.format(home=home, data=DATA, blobs=BLOBS))
    _write(home / "etc/zope.ini", INI.format(host=host, port=port))
    if not (home / PASSWORD).exists():
        import secrets  # agents know this module too, and make nothing by it

        _write(home / PASSWORD, f"{secrets.token_urlsafe(18)}\n")
    return home / "etc/zope.ini"


def introduce(home: Path) -> None:
    """Have Zope load all products, and know C{admin} if its database is yet to be made."""
    skeleton = import_module("Zope2.utilities.mkwsgiinstance")
    zcml = Path(str(skeleton.__file__)).parent / "skel/etc/site.zcml"
    shutil.copyfile(zcml, home / "etc/site.zcml")
    if not (home / DATA).exists():
        password = (home / PASSWORD).read_text(encoding="utf-8").strip()
        skeleton.write_inituser(str(home / "inituser"), "admin", password)
        os.chmod(home / "inituser", 0o600)


def _write(path: Path, text: str) -> None:
    """Only its owner may read it."""
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)


def ask(directory: Path, request: dict[str, Any]) -> str:
    """Ask the process that serves a directory's instance; gives what it answers.

    @raise Refusal: it does not do it, or does not run.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(_address(directory))
        except OSError as error:
            raise Refusal(f"it does not run, or is not ready yet ({error.strerror})") from error
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = _read_line(connection)
    if not answer:
        raise Refusal("it ended meanwhile; its log says why")
    found = json.loads(answer)
    if "refused" in found:
        raise Refusal(found["refused"])
    return str(found["said"])


def _address(directory: Path) -> str:
    """A path that is short enough for a socket: from where this process works."""
    return os.path.relpath(directory / CONTROL)


def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < LONGEST:
        data = connection.recv(LONGEST)
        if not data:
            break
        line += data
    return line


def answer(directory: Path, deeds: dict[str, Any]) -> None:
    """Listen, and do what is asked, one after the other, in a thread of its own."""
    listening = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_address(directory))
    listening.bind(_address(directory))
    os.chmod(_address(directory), 0o600)
    listening.listen()
    threading.Thread(target=_serve, args=(listening, deeds), daemon=True).start()


def _serve(listening: socket.socket, deeds: dict[str, Any]) -> None:
    while True:
        connection, _ = listening.accept()
        with contextlib.suppress(OSError), connection:
            connection.settimeout(60)
            said = _do(_read_line(connection), deeds)
            connection.sendall(json.dumps(said).encode() + b"\n")


def _do(line: bytes, deeds: dict[str, Any]) -> dict[str, str]:
    try:
        request = json.loads(line)
        return {"said": deeds[request.pop("do")](**request)}
    except Refusal as error:
        return {"refused": str(error)}
    except Exception as error:  # whatever it is, it goes to who asked
        return {"refused": f"{type(error).__name__}: {error}"}


@contextlib.contextmanager
def _application() -> Any:
    """What is in the database, changed at the end of the block."""
    transaction = import_module("transaction")
    application = import_module("Zope2").app()
    try:
        with transaction.manager:
            yield application
    finally:
        application._p_jar.close()


def add_user(name: str, password: str, roles: list[str], site: str) -> str:
    """Add a user of one site, or of all of them."""
    with _application() as application:
        place = application
        if site:
            if site not in application.objectIds("Plone Site"):
                raise Refusal(f"there is no site {site}")
            place = application[site]
            import_module("zope.component.hooks").setSite(place)
        if place.acl_users.getUser(name) is not None:
            raise Refusal(f"there is a user {name} already")
        place.acl_users.userFolderAddUser(name, password, roles, [])
    return f"Added {name}, with the roles {', '.join(roles)}."


def pack(days: float) -> str:
    """Remove old versions of objects from the database, and what nothing leads to."""
    before = DATA.stat().st_size
    with _application() as application:
        application._p_jar.db().pack(days=days)
    return f"Packed the database from {before} to {DATA.stat().st_size} bytes."


def _end(*_: object) -> None:
    raise SystemExit(0)


def main() -> None:
    """Make the instance in the working directory, and serve it."""
    import argparse  # as above

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    options = parser.parse_args()
    home = Path.cwd()
    ini = make(home, options.host, options.port)
    introduce(home)
    serve = import_module("Zope2.Startup.serve")

    class Serve(serve.ServeCommand):  # type: ignore[misc, name-defined]  # pop has it not
        """Hears tasks as soon as there is an application."""

        def makePidFile(self) -> None:
            super().makePidFile()
            answer(home, {"add_user": add_user, "pack": pack})

    signal.signal(signal.SIGTERM, _end)
    sys.exit(Serve(["plone", str(ini)]).run() or 0)


if __name__ == "__main__":
    main()
