"""Who knows the names and passwords of those who may come."""

import os
from hmac import compare_digest

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.strcred import makeChecker

from pop.components.errors import BundleException


class NoSuchGuard(BundleException):
    """Nobody can be let in by {description}: it should be like file:PATH, a file with lines
    USER:PASSWORD."""


class Said(UsernamePassword):
    """A name and a password; how long it takes to compare that does not tell how much of it is
    right."""

    def checkPassword(self, password: bytes) -> bool:
        """Whether it is that."""
        return compare_digest(self.password, password)


def guard(description: str) -> ICredentialsChecker:
    """What knows names and passwords, as of L{makeChecker}.

    @raise NoSuchGuard: it is none.
    """
    kind, _, path = description.partition(":")
    if kind == "file" and not os.path.isfile(path):  # Twisted's lets nobody in, and goes on
        raise NoSuchGuard(description=description)
    try:
        checker: ICredentialsChecker = makeChecker(description)
    except Exception as error:  # each kind has its own ways to fail
        raise NoSuchGuard(description=description) from error
    if IUsernamePassword not in checker.credentialInterfaces:
        raise NoSuchGuard(description=description)
    return checker
