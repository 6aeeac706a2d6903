"""Administer an agent from Python: what it runs, and what its instances write.

Usage: python examples/administer.py STATE_DIRECTORY MACHINE SERVICE SIGNAL
"""

import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import react
from zope.interface import implementer

from pop.admin import IOutput, at_socket
from pop.errors import PopError
from pop.statedir import StateDirectory


@implementer(IOutput)
class Printer:
    """Prints what comes, with the name of the instance that wrote it."""

    def write(self, source: str, data: bytes) -> Deferred[None]:
        """Take a piece: the agent sends more when what this returns has fired."""
        print(f"--- {source} ---\n{data.decode()}", end="", flush=True)
        return succeed(None)


async def main(reactor: Any, state_directory: str, machine: str, service: str, signal: str) -> None:
    """Ask and tell."""
    admin = await at_socket(reactor, str(StateDirectory(Path(state_directory)).admin), machine)
    info = await admin.info()
    print(f"The agent of {info['machine']} runs {info['instances']} instances.")
    try:
        for row in await admin.instances(service):
            print(f"{row['slot']} is {row['phase']} and has {row['memory'] >> 20} MiB.")
        told = await admin.signal(service, signal)
        print(f"{told} of them have been sent {signal}.")
        await admin.logs(service, 10, False, Printer())
    except PopError as error:
        print(f"Refused: {error}")
    await admin.close()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
