"""What twistd loads for C{twistd pop}: the agent, and nothing that it has no use for.

Twisted takes OpenSSL in wherever it is installed, which is a quarter of the agent's memory and a
fifth of its start; an agent that watches over a hundred services is to weigh no more than they do.
The agent's own connections are not encrypted, so Twisted is loaded as if there were no OpenSSL.
"""

import gc

from txzookeeper.aside import aside

__all__ = ["Options", "makeService"]

gc.disable()  # nothing of what is loaded here is garbage, now or later
with aside("OpenSSL"):
    import twisted.internet.endpoints
    import twisted.internet.posixbase  # noqa: F401  # both look for it

    from pop.tap import Options, makeService

gc.freeze()
gc.enable()
