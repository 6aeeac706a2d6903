"""What the shell offers to complete a line with."""

from pop.components import use_ipopo
from pop.test.test_component_shell import ShellCase


class CompletionTests(ShellCase):
    """Words that may stand in place of the last one."""

    def test_completion(self) -> None:
        """Commands, and what they take, are completed."""
        self.install("provider")
        complete = lambda text: self.shell.complete(text, self.session)  # noqa: E731
        self.assertEqual(["echo"], complete("ec"))
        self.assertIn("event.send", complete("event."))
        self.assertEqual(["provider"], complete("start 1 prov"))
        self.assertEqual(["ipopo-shell-commands"], complete("instance ipo"))
        self.assertEqual(["ipopo-shell-commands-factory"], complete("factory "))
        self.assertEqual([], complete("echo x"))
        self.assertEqual([], complete("nonsense x"))
        self.said("set long=1")
        self.assertEqual(["$long"], complete("echo $l"))

    def test_completed_files(self) -> None:
        """Names of files and directories are completed, whatever is in them."""
        self.write("one", "")
        self.write("[two]", "")
        self.write("deep.three", "")
        for begun, whole in (("on", "one.py"), ("[t", "[two].py"), ("d", "deep/"), ("x", None)):
            expected = [f"{self.path}/{whole}"] if whole else []
            line = f"run {self.path}/{begun}"
            self.assertEqual(expected, self.shell.complete(line, self.session))

    def test_completed_properties(self) -> None:
        """So are the properties of whatever is made, or tried again."""
        text = """
            from pop.components import ComponentFactory, HiddenProperty, Instantiate, Property

            @ComponentFactory("sensor")
            @Property("place", value="roof")
            @Property("figure", value=1)
            @HiddenProperty("code")
            @Instantiate("one")
            class Sensor:
                pass
            """
        self.done(self.install("sensors", text).start())
        expected = ["figure=", "place="]
        for line in ("instantiate sensor two ", "instantiate sensor two place=x ", "retry one "):
            self.assertEqual(expected, self.shell.complete(line, self.session))
        for line in ("instantiate sensor ", "instantiate no two ", "retry two "):
            self.assertEqual([], self.shell.complete(line, self.session))
        self.said("instantiate sensor two figure:=2.5 place=attic")
        with use_ipopo(self.context) as ipopo:
            found = ipopo.get_instance_properties("two")
        self.assertEqual({"figure": 2.5, "place": "attic", "instance.name": "two"}, found)
        wrong = self.said("instantiate sensor three attic", well=False)
        self.assertEqual(
            "attic should be NAME=TEXT, or NAME:=VALUE with a value as JSON writes it.\n", wrong
        )
