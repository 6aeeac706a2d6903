"""ACLs allow and hide what they do on a real server."""

from __future__ import annotations

from txzookeeper import constants as c
from txzookeeper.access import Identity, authenticate
from txzookeeper.errors import (
    InvalidACLException,
    NoAuthException,
)
from txzookeeper.permissions import make_digest_acl
from txzookeeper.records import ACL, GetACLRequest, SetACLRequest
from txzookeeper.test.trees import OPEN, Someone, TreeTests


class AccessTests(TreeTests):
    """ACLs."""

    def test_each_permission(self) -> None:
        """Each permission allows its own operations and no others."""
        someone = Someone(self.tree, authenticate("digest", b"me:secret", ""))
        allowed = {}
        for perm in (c.PERM_READ, c.PERM_WRITE, c.PERM_CREATE, c.PERM_DELETE, c.PERM_ADMIN):
            path = f"/p{perm}"
            mine = ACL(c.PERM_ALL, "auth", "")
            someone.create(path, acls=(mine,))
            someone.create(path + "/old")
            someone.ask(c.SET_ACL_OP, SetACLRequest(path, (ACL(perm, *OPEN[0][1:]), mine), -1))
            answers = {
                "get": self.me.get(path),
                "children": self.me.children(path),
                "set": self.me.set(path, b""),
                "create": self.me.create(path + "/new"),
                "delete": self.me.delete(path + "/old"),
                "get_acl": self.me.ask(c.GET_ACL_OP, GetACLRequest(path)),
                "set_acl": self.me.ask(c.SET_ACL_OP, SetACLRequest(path, OPEN, -1)),
            }
            codes = {answer.error for answer in answers.values()}
            self.assertEqual(codes, {0, NoAuthException.code})
            allowed[perm] = [name for name, answer in answers.items() if not answer.error]
        self.assertEqual(
            allowed,
            {
                c.PERM_READ: ["get", "children", "get_acl"],
                c.PERM_WRITE: ["set"],
                c.PERM_CREATE: ["create"],
                c.PERM_DELETE: ["delete"],
                c.PERM_ADMIN: ["get_acl", "set_acl"],
            },
        )

    def test_hashes_are_for_administrators(self) -> None:
        """Who may only read a node sees users' names in its ACL, but no password's hash."""
        owner = Someone(self.tree, authenticate("digest", b"me:secret", ""))
        owner.create("/a", acls=(ACL(c.PERM_ALL, "auth", ""), ACL(c.PERM_READ, "world", "anyone")))
        seen = self.me.ask(c.GET_ACL_OP, GetACLRequest("/a")).body.acls
        whole = owner.ask(c.GET_ACL_OP, GetACLRequest("/a")).body.acls
        self.assertEqual(seen[0].id, "me:x")
        self.assertEqual(whole[0], make_digest_acl("me", "secret"))

    def test_nonsense(self) -> None:
        """An ACL of an unknown scheme or with an id that is no id is refused."""
        for scheme, name in [
            ("auth", ""),
            ("world", "me"),
            ("digest", "me"),
            ("digest", "me:"),
            ("ip", "1.2.3"),
            ("ip", "1.2.3.4/255.0.0.0"),
            ("ip", "::1"),
            ("sasl", "me"),
        ]:
            self.assert_refused(
                self.me.create("/a", acls=[ACL(1, scheme, name)]), InvalidACLException
            )

    def test_ip(self) -> None:
        """A network in an ACL means everybody whose address is in it."""
        self.me.create("/a", acls=[ACL(c.PERM_ALL, "ip", "10.1.0.0/16")])
        self.assertEqual(Someone(self.tree, Identity("ip", "10.1.2.3")).get("/a").error, 0)
        stranger = Someone(self.tree, Identity("ip", "10.2.2.3"))
        self.assert_refused(stranger.get("/a"), NoAuthException)
