"""The management certificate of an appliance: what is written, in which order, and what is refused before anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.certificates import CertkeyState
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.management_certificate import (
    CERTKEY,
    GUI,
    Observed,
    certificate_from,
    observe,
    steps,
)
from tests.certificates import encrypted, issue

ONE, NEXT = issue(chain=0), issue(serial=2, chain=0)
FACTORY = ("ns-server-certificate",)


def given(issued: Any = ONE, **more: Any) -> dict[str, Any]:
    return {"content": issued.fullchain, "key": issued.key, "passphrase": None, **more}


def phrases(observed: Observed, issued: Any = ONE) -> list[str]:
    certificate = certificate_from(given(issued))
    assert certificate
    return [change.phrase.replace(certificate.file_stem, "FILE") for change in steps(certificate, observed)]


def loaded(issued: Any = ONE) -> CertkeyState:
    certificate = certificate_from(given(issued))
    assert certificate
    names = list(certificate.files)
    row = {"certkey": CERTKEY, "cert": f"/nsconfig/ssl/{names[0]}", "key": f"/nsconfig/ssl/{names[1]}"}
    return CertkeyState({CERTKEY: row}, frozenset(names))


def test_files_certkey_and_bindings_come_in_this_order_and_only_services_that_exist_are_bound() -> None:
    bound = {GUI: FACTORY, "nskrpcs-127.0.0.1-3009": FACTORY}
    assert phrases(Observed(bound=bound)) == [
        "add systemfile FILE.crt",
        "add systemfile FILE.key",
        f"add sslcertkey {CERTKEY}",
        f"bind sslservice_sslcertkey_binding {GUI}",
        "bind sslservice_sslcertkey_binding nskrpcs-127.0.0.1-3009",
    ]


def test_certificate_in_place_needs_no_write() -> None:
    assert phrases(Observed(loaded(), {GUI: (CERTKEY,)})) == []


def test_renewed_certificate_is_updated_in_place_and_former_files_go() -> None:
    found = phrases(Observed(loaded(ONE), {GUI: (CERTKEY,)}), NEXT)
    assert found[:3] == ["add systemfile FILE.crt", "add systemfile FILE.key", f"update sslcertkey {CERTKEY}"]
    assert [phrase.split()[:2] for phrase in found[3:]] == [["delete", "systemfile"]] * 2


def test_former_certificate_is_unbound_only_after_the_new_one_is_bound() -> None:
    assert phrases(Observed(loaded(), {GUI: FACTORY})) == [f"bind sslservice_sslcertkey_binding {GUI}"]
    both = {GUI: (*FACTORY, CERTKEY)}
    assert phrases(Observed(loaded(), both)) == [f"delete sslservice_sslcertkey_binding {GUI}"]


def test_authorities_and_names_of_hosts_are_no_certificates_of_a_service() -> None:
    class Appliance:
        def get(
            self, resource: str, name: str | None = None, **_more: Any
        ) -> Sequence[Mapping[str, Any]] | list[dict[str, Any]]:
            if resource != "sslservice_sslcertkey_binding" or name != GUI:
                return []
            return [
                {"servicename": GUI, "certkeyname": "root", "ca": True},
                {"servicename": GUI, "certkeyname": "other", "snicert": True},
                {"servicename": GUI, "certkeyname": FACTORY[0]},
            ]

    certificate = certificate_from(given())
    assert certificate
    assert observe(Appliance(), certificate).bound == {GUI: FACTORY}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (given(key="nothing"), "management_certificate.key must be a private key in PEM form"),
        (given(content="nothing"), "management_certificate.content must hold a certificate in PEM form"),
        (given(key=NEXT.key), "management_certificate.key does not belong to the first certificate"),
        (given(key=encrypted(ONE.key, "s3cret")), "give its management_certificate.passphrase"),
    ],
    ids=["no key", "no certificate", "another key", "encrypted"],
)
def test_what_is_no_certificate_with_its_key_is_refused_and_not_quoted(option: dict[str, Any], message: str) -> None:
    with pytest.raises(NitroInputError) as refused:
        certificate_from(option)
    assert message in str(refused.value)
    assert "BEGIN" not in str(refused.value)


def test_no_option_is_no_certificate() -> None:
    assert certificate_from(None) is None
    assert certificate_from({}) is None
