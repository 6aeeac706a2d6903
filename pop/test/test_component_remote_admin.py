"""Exports and imports that somebody asks for: who carries them out, and when they end."""

from dataclasses import replace

from zope.interface.verify import verifyObject

from pop.components.remote import interfaces
from pop.components.remote.errors import NoProvider, NotExported
from pop.test.remotes import AdminCase, Imported, Provider, endpoint


class ProviderTests(AdminCase):
    """What tests use for a provider."""

    def test_promise(self) -> None:
        """It keeps that of a real one."""
        verifyObject(interfaces.IExportProvider, self.provider)
        verifyObject(interfaces.IImportProvider, self.provider)
        verifyObject(interfaces.IImported, Imported(self.provider, endpoint("1")))


class ExportTests(AdminCase):
    """Exports that somebody asks for."""

    def setUp(self) -> None:
        super().setUp()
        self.provided = self.provide()
        self.thing = self.flagged("thing", color="red")
        self.reference = self.thing.get_reference()

    def test_export(self) -> None:
        """It is described, and known to those who ask."""
        [registration] = self.admin.export_service(self.reference)
        described = registration.get_description()
        assert described is not None
        self.assertEqual(
            ("1", "here", ("kind",), "thing", ("spec",), "red"),
            (
                described.uid,
                described.framework,
                described.configurations,
                described.name,
                described.specifications,
                described.properties["color"],
            ),
        )
        self.assertEqual([described], self.exports.get_endpoints())
        self.assertIs(self.reference, registration.get_reference())
        self.assertIs(None, registration.get_exception())
        self.assertEqual(
            [described], [each.endpoint for each in self.admin.get_exported_services()]
        )
        self.assertEvents("EXPORT_REGISTRATION")

    def test_shared(self) -> None:
        """Who asks twice shares the endpoint, which goes with the last that is closed, once."""
        [one], [other] = (self.admin.export_service(self.reference) for _ in range(2))
        self.assertEqual(one.get_description(), other.get_description())
        one.close()
        one.close()
        self.assertEqual(["thing"], self.exported())
        self.assertEqual((None, True), (one.get_description(), other.live))
        other.close()
        self.assertEqual([], self.exported())
        self.assertEqual(["export thing", "unexport thing"], self.names())
        self.assertEvents("EXPORT_REGISTRATION", "EXPORT_UNREGISTRATION")
        self.assertEqual([], self.reference.get_using_bundles())

    def test_several_providers(self) -> None:
        """Each provider of a kind that is wanted exports it."""
        self.provide(Provider("other"))
        self.assertEqual(2, len(self.admin.export_service(self.reference)))
        self.assertEqual(["thing", "thing"], self.exported())
        [one] = self.admin.export_service(self.reference, {"service.exported.configs": "other"})
        described = one.get_description()
        self.assertEqual(("other",), described and described.configurations)

    def test_no_provider(self) -> None:
        """Without a provider of its kind there is an error to be looked at, and nothing raised."""
        [one] = self.admin.export_service(self.reference, {"service.exported.configs": ["x", "y"]})
        self.assertIn("x or y", str(one.get_exception()))
        self.assertIsInstance(one.get_exception(), NoProvider)
        self.assertEqual((None, None), (one.get_description(), one.get_reference()))
        self.assertEvents("EXPORT_ERROR")
        one.close()

    def test_provider_fails(self) -> None:
        """So it is if a provider fails, which then has nothing to end."""
        [one] = self.admin.export_service(self.reference, {"endpoint.name": "bad"})
        self.assertIsInstance(one.get_exception(), ValueError)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual([], self.reference.get_using_bundles())
        self.provider.fails = True
        [one] = self.admin.export_service(self.reference)
        self.assertIsInstance(one.get_exception(), NoProvider)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEvents("EXPORT_ERROR", "EXPORT_ERROR")

    def test_not_wanted(self) -> None:
        """What does not want to be exported is not, unless whoever asks says otherwise."""
        plain = self.context.register_service("spec", object()).get_reference()
        [one] = self.admin.export_service(plain)
        self.assertIsInstance(one.get_exception(), NotExported)
        [one] = self.admin.export_service(plain, {"service.exported.interfaces": "spec"})
        self.assertTrue(one.live)

    def test_bad_properties(self) -> None:
        """Properties that contradict each other are an error to be looked at as well."""
        [one] = self.admin.export_service(self.reference, {"a": 1, "A": 2})
        self.assertIn("compared without", str(one.get_exception()))

    def test_listener_fails(self) -> None:
        """That somebody fails who is told harms neither the export nor others who are."""
        names = ("pelix.rsa.remoteserviceadmineventlistener",)
        for name in (*names, "pelix.remote.endpoint.export.listener"):
            self.context.register_service(name, object(), {"service.ranking": 1})
        [one] = self.admin.export_service(self.reference)
        one.close()
        self.assertEqual((None, []), (one.get_exception(), self.exported()))
        self.assertEvents("EXPORT_REGISTRATION", "EXPORT_UNREGISTRATION")
        self.assertEqual(4, len(self.flushLoggedErrors(AttributeError)))

    def test_follows(self) -> None:
        """What changes at the registration is made known; what changes nothing there, is not."""
        [one] = self.admin.export_service(self.reference)
        self.thing.set_properties({"color": "blue"})
        self.thing.set_properties({"endpoint.name": "renamed"})
        self.thing.set_properties({"private": object()})
        described = one.get_description()
        assert described is not None
        self.assertEqual(
            ("renamed", "blue", "1"), (described.name, described.properties["color"], described.uid)
        )
        self.assertEqual([described], self.exports.get_endpoints(name="renamed"))
        self.assertEvents("EXPORT_REGISTRATION", "EXPORT_UPDATE", "EXPORT_UPDATE")

    def test_update(self) -> None:
        """Whoever holds it may give it other properties than the registration has."""
        [one] = self.admin.export_service(self.reference)
        described = one.update({"color": "green"})
        assert described is not None
        self.assertEqual(("green", "thing"), (described.properties["color"], described.name))
        self.thing.set_properties({"color": "blue", "n": 1})
        described = one.get_description()
        assert described is not None
        self.assertEqual(("green", 1), (described.properties["color"], described.properties["n"]))

    def test_ends(self) -> None:
        """It ends with its registration, with its provider, and when it is not wanted any more."""
        [one] = self.admin.export_service(self.reference)
        self.thing.unregister()
        self.assertEqual((False, []), (one.live, self.exported()))
        other = self.flagged("other")
        [one] = self.admin.export_service(other.get_reference())
        other.set_properties({"pelix.remote.export.none": True})
        self.assertEqual((False, []), (one.live, self.exported()))
        third = self.flagged("third")
        [one] = self.admin.export_service(third.get_reference())
        self.provided.unregister()
        self.assertEqual((False, []), (one.live, self.exported()))
        self.assertEqual({}, self.provider.open)
        self.assertEvents(*["EXPORT_REGISTRATION", "EXPORT_UNREGISTRATION"] * 3)

    def test_update_fails(self) -> None:
        """If it cannot be what it should be any more, it ends."""
        [one] = self.admin.export_service(self.reference)
        self.thing.set_properties({"endpoint.name": "bad"})
        self.assertEqual((False, []), (one.live, self.exported()))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEvents("EXPORT_REGISTRATION", "EXPORT_UNREGISTRATION", "EXPORT_ERROR")

    def test_gone(self) -> None:
        """What has gone cannot be exported."""
        self.thing.unregister()
        [one] = self.admin.export_service(self.reference)
        self.assertIsNot(None, one.get_exception())

    def test_stop(self) -> None:
        """When the admin stops, everything ends."""
        self.admin.export_service(self.reference)
        self.admin.stop()
        self.assertEqual(({}, []), (self.provider.open, self.exported()))


class ImportTests(AdminCase):
    """Imports that somebody asks for."""

    def test_shared(self) -> None:
        """Who asks twice shares it; it goes with the last that is closed, once."""
        self.provide()
        one, other = (self.admin.import_service(endpoint("1")) for _ in range(2))
        self.assertEqual(endpoint("1"), one.get_description())
        one.close()
        one.close()
        self.assertEqual(["1"], list(self.provider.open))
        other.close()
        self.assertEqual(["import name-1", "close name-1"], self.names())
        self.assertEqual([], self.admin.get_imported_endpoints())
        self.assertEvents("IMPORT_REGISTRATION", "IMPORT_UNREGISTRATION")

    def test_errors(self) -> None:
        """No provider, or one that fails: an error to be looked at, and nothing raised."""
        self.assertIsInstance(self.admin.import_service(endpoint("1")).get_exception(), NoProvider)
        self.provide()
        bad = replace(endpoint("2"), name="bad")
        self.assertIsInstance(self.admin.import_service(bad).get_exception(), ValueError)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEqual([], self.admin.get_imported_endpoints())
        self.assertEvents("IMPORT_ERROR", "IMPORT_ERROR")

    def test_update(self) -> None:
        """An update reaches the provider; if it fails, the import ends."""
        self.provide()
        one = self.admin.import_service(endpoint("1"))
        self.assertTrue(one.update(endpoint("1", n=2)))
        self.assertEqual(endpoint("1", n=2), one.get_description())
        self.assertFalse(one.update(replace(endpoint("1"), name="bad")))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        self.assertEvents(
            "IMPORT_REGISTRATION", "IMPORT_UPDATE", "IMPORT_UNREGISTRATION", "IMPORT_ERROR"
        )

    def test_ends(self) -> None:
        """It ends with its provider, even if that fails at it."""
        provided = self.provide()
        one = self.admin.import_service(endpoint("1"))
        self.provider.fails = True
        provided.unregister()
        self.assertEqual((False, {}), (one.live, self.provider.open))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
