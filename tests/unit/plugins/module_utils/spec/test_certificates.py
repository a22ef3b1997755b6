"""Certificates and keys: split, told apart, and compared before anything is written."""

from __future__ import annotations

import builtins
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec import certificates
from tests.certificates import encrypted, issue

NOW = datetime.now(UTC)
WEB = issue(chain=2)
OTHER = issue("api.example", chain=1, issuer="Other")


def test_a_fullchain_file_is_split_in_its_order() -> None:
    text = f"subject=CN = web\n{WEB.certificate}\n  issuer follows\n{''.join(WEB.chain)}"
    assert certificates.split(text) == [WEB.certificate, *WEB.chain]
    assert certificates.split("no certificate") == []


def test_a_digest_ignores_line_breaks_and_tells_certificates_apart() -> None:
    [one, two] = WEB.chain
    assert certificates.digest(one) == certificates.digest(one.replace("\n", "\r\n"))
    assert certificates.digest(one) != certificates.digest(two)
    assert len(certificates.digest("not base64!")) == 16


@pytest.mark.parametrize(
    ("content", "key", "passphrase", "message"),
    [
        (WEB.fullchain, WEB.key, None, []),
        ("text", WEB.key, None, ["must hold a certificate in PEM form"]),
        (WEB.certificate * 11, WEB.key, None, ["holds 10 certificates after the first; an appliance takes 9"]),
        (WEB.certificate * 10, WEB.key, None, []),
        (WEB.fullchain, "text", None, ["must be a private key in PEM form"]),
        (WEB.fullchain, encrypted(WEB.key, "geheim"), None, ["is encrypted: give its certificate.passphrase"]),
        (WEB.fullchain, encrypted(WEB.key, "geheim"), "geheim", []),
        (WEB.fullchain, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", None, ["is encrypted"]),
    ],
)
def test_the_form_is_checked_without_a_library(
    content: str, key: str, passphrase: str | None, message: list[str]
) -> None:
    problems = certificates.form_problems(content, key, passphrase)
    assert len(problems) == len(message)
    assert all(part in problem for part, problem in zip(message, problems, strict=True))


@pytest.mark.parametrize(
    ("content", "key", "passphrase", "message"),
    [
        (WEB.fullchain, WEB.key, None, []),
        (WEB.certificate, WEB.key, None, []),
        (WEB.fullchain, encrypted(WEB.key, "geheim"), "geheim", []),
        (WEB.fullchain, WEB.key, "a passphrase that is not needed", []),
        (WEB.fullchain, encrypted(WEB.key, "geheim"), "wrong", ["passphrase does not open certificate.key"]),
        (WEB.fullchain, OTHER.key, None, ["does not belong to the first certificate (CN=web.example)"]),
        ("".join((*WEB.chain, WEB.certificate)), WEB.key, None, ["but to number 3: put that one first", "number 3"]),
        (WEB.certificate + WEB.chain[1], WEB.key, None, ["certificate 2 (CN=Lab 1) is not the issuer of"]),
        (WEB.certificate + OTHER.chain[0], WEB.key, None, ["certificate 2 (CN=Other 1) is not the issuer of"]),
        (WEB.certificate.replace("MII", "AAA", 1), WEB.key, None, ["certificate 1 of certificate.content cannot be"]),
        (WEB.fullchain, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", None, ["cannot be read"]),
    ],
)
def test_what_does_not_belong_together_is_a_problem(
    content: str, key: str, passphrase: str | None, message: list[str]
) -> None:
    verdict = certificates.compare(content, key, passphrase, NOW)
    assert bool(verdict.problems) == bool(message)
    assert message[:1] == [] or message[0] in verdict.problems[0]
    assert "geheim" not in str(verdict)


@pytest.mark.parametrize(("after", "message"), [(0, None), (91, "expired on"), (-2, "is not valid before")])
def test_dates_are_a_warning(after: int, message: str | None) -> None:
    verdict = certificates.compare(WEB.certificate, WEB.key, None, NOW + timedelta(days=after))
    assert verdict.problems == ()
    assert verdict.warnings == () if message is None else message in verdict.warnings[0]


def test_without_the_library_a_warning_leaves_the_comparison_to_the_appliance(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return load(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    verdict = certificates.compare(WEB.certificate, OTHER.key, None, NOW)
    assert verdict == certificates.Verdict(warnings=(certificates.UNCOMPARED,))
