"""Certificates that are pinned, over real TLS: nothing is sent to an appliance that has another one."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.fingerprints import (
    Pins,
    canonical,
    fingerprint,
    pins_from,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroInputError,
    NitroPinMismatch,
    NitroTimeout,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_transport import _Adapter
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.client import Connection, NitroClient
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.first_contact import Memory, hold, observed_fingerprint
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.module import nitro_argument_spec
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.one_or_many import Job
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.pins import FINGERPRINT, learn_pins, pins_of
from ansible_collections.cloudadc.aws.plugins.modules.vpx_bootstrap import argument_spec, work
from tests.certificates import issue

from .scripted import DONE, LOGIN, LOGOUT, Scripted, serving

OTHER = ":".join(["AB"] * 32)
REFUSED = (401, {"errorcode": 1027, "message": "Not logged in", "severity": "ERROR"})
VERSION = (200, {**DONE, "nsversion": {"version": "NetScaler NS14.1: Build 72.61.nc"}})


@pytest.fixture
def pinned(tls: tuple[ssl.SSLContext, Path]) -> str:
    """Return the fingerprint of the certificate of the server."""
    pem = tls[1].read_text().partition("-----BEGIN EC")[0].partition("-----BEGIN PRIVATE")[0]
    return fingerprint(ssl.PEM_cert_to_DER_cert(pem))


@pytest.fixture
def script(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Scripted]:
    with serving(tls=tls[0]) as found:
        yield found


def connection(script: Scripted, *fingerprints: str) -> Connection:
    return Connection(script.nsip, password="s3cret", fingerprints=fingerprints, timeout=5)


def test_pinned_certificate_is_accepted_without_an_authority(script: Scripted, pinned: str) -> None:
    script.answers = [LOGIN, VERSION, LOGOUT]
    with NitroClient(connection(script, OTHER, pinned)) as client:
        assert client.get("nsversion")


def test_nothing_is_sent_to_another_certificate(script: Scripted, pinned: str) -> None:
    with pytest.raises(NitroPinMismatch) as raised, NitroClient(connection(script, OTHER)) as client:
        client.get("nsversion")
    assert script.asked == []
    assert raised.value.found == pinned
    message = str(raised.value)
    assert f"fingerprint {pinned}, and the pinned one is {OTHER}" in message
    assert "accept_fingerprints" in message
    assert "s3cret" not in message


def test_pin_is_compared_although_authorities_would_trust(
    script: Scripted, tls: tuple[ssl.SSLContext, Path], pinned: str
) -> None:
    trusted = Connection(script.nsip, password="s3cret", ca_path=str(tls[1]), fingerprints=(OTHER,), timeout=5)
    with pytest.raises(NitroPinMismatch), NitroClient(trusted) as client:
        client.login()
    assert script.asked == []


def test_each_connection_compares(
    script: Scripted, pinned: str, tls: tuple[ssl.SSLContext, Path], tmp_path: Path
) -> None:
    """The session that was opened under the pinned certificate is not sent to a machine with another one."""
    script.answers = [LOGIN, VERSION]
    client = NitroClient(connection(script, pinned))
    assert client.get("nsversion")
    client._http.close()
    other, file = issue("adc-2"), tmp_path / "other.pem"
    file.write_text(other.fullchain + other.key)
    tls[0].load_cert_chain(file)
    asked = list(script.calls)
    with pytest.raises(NitroPinMismatch):
        client.get("nsversion")
    client.close()
    assert script.calls == asked


def test_connections_through_a_proxy_compare_as_well() -> None:
    adapter = _Adapter(verified=False, fingerprints=(OTHER,))
    manager = adapter.proxy_manager_for("http://127.0.0.1:9")
    assert manager.pool_classes_by_scheme["https"] is adapter.poolmanager.pool_classes_by_scheme["https"]
    assert manager.pool_classes_by_scheme["https"].ConnectionCls.__name__ == "PinnedConnection"


# First contact


class Tag:
    """Where a fingerprint is remembered."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text
        self.writes: list[str] = []

    @property
    def memory(self) -> Memory:
        return Memory(lambda: self.text, self.writes.append)


def test_fingerprint_is_read_without_a_request(script: Scripted, pinned: str) -> None:
    assert observed_fingerprint(connection(script)) == pinned
    assert script.asked == []


def test_first_contact_is_remembered_before_anything_secret_is_sent(script: Scripted, pinned: str) -> None:
    script.answers = [(503, "booting"), REFUSED]
    tag = Tag()
    contact = hold(connection(script), tag.memory, (), 10, sleep=lambda _seconds: None)
    assert (contact.fingerprint, contact.pinned, tag.writes) == (pinned, True, [pinned])
    assert script.calls == ["GET /config/nsversion"] * 2
    assert all("Cookie" not in one.headers for one in script.asked)


def test_check_mode_remembers_nothing(script: Scripted, pinned: str) -> None:
    tag = Tag()
    contact = hold(connection(script), tag.memory, (), 10, check=True)
    assert (contact.fingerprint, contact.pinned, tag.writes, script.asked) == (pinned, True, [], [])


def test_appliance_that_does_not_answer_is_waited_for_and_not_remembered() -> None:
    tag, clock = Tag(), iter(range(100))
    with pytest.raises(NitroTimeout, match="there was no first contact"):
        hold(Connection("127.0.0.1:1", timeout=1), tag.memory, (), 3, clock=lambda: next(clock), sleep=lambda _s: None)
    assert tag.writes == []


def test_known_fingerprint_is_kept_until_the_new_one_is_accepted(script: Scripted, pinned: str) -> None:
    tag = Tag(OTHER)
    assert hold(connection(script), tag.memory, (), 10).fingerprint == OTHER
    assert hold(connection(script), tag.memory, (":".join(["CD"] * 32),), 10).fingerprint == OTHER
    assert tag.writes == []
    contact = hold(connection(script), tag.memory, (pinned,), 10)
    assert (contact.fingerprint, contact.pinned, tag.writes) == (pinned, True, [pinned])
    assert script.asked == []


# Which fingerprints are accepted where


@pytest.mark.parametrize("form", ["{}", "SHA256 Fingerprint={}", "sha256 Fingerprint={}", "sha256:{}"])
def test_fingerprints_are_read_as_tools_print_them(form: str) -> None:
    for text in (OTHER, OTHER.lower(), OTHER.replace(":", "")):
        assert canonical(form.format(text)) == OTHER


@pytest.mark.parametrize("text", ["", "AB:CD", "ZZ" * 32, "AB" * 20])
def test_what_is_no_sha256_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(NitroInputError, match="is not a SHA-256 fingerprint"):
        canonical(text)


def test_options_of_a_module() -> None:
    given = {"management_tls": "pin", "nsip": "10.0.1.10:8443", "fingerprint": OTHER, "nitro_protocol": "https"}
    pins = pins_from({**given, "fingerprints": {"10.0.1.11": [OTHER.lower()]}})
    assert pins.of("10.0.1.10:443") == pins.of("10.0.1.11") == (OTHER,)
    with pytest.raises(NitroInputError, match=r"10\.0\.1\.12: management_tls is pin, and no fingerprint"):
        pins.of("10.0.1.12")
    with pytest.raises(NitroInputError, match="only with nitro_protocol=https"):
        pins_from({**given, "nitro_protocol": "http"})
    assert Pins().of("10.0.1.12") == ()


def tags(kind: str, zone: str = "a", text: str | None = OTHER) -> dict[str, str]:
    return {"cloudadc:kind": kind, "cloudadc:zone": zone, **({FINGERPRINT: text} if text else {})}


def test_pins_of_a_pair_and_of_a_cluster() -> None:
    second = ":".join(["CD"] * 32)
    pair = [
        ("10.0.1.10", tags("pair")),
        ("10.0.1.11", tags("pair", text=second)),
        ("10.0.1.12", tags("pair", text=None)),
    ]
    assert pins_of(pair) == {"10.0.1.10": [OTHER, second], "10.0.1.11": [second, OTHER]}
    group = [("10.0.1.10", tags("group")), ("10.0.1.11", tags("group", text=second)), ("10.0.2.10", tags("group", "b"))]
    assert pins_of(group, {"a": "10.0.1.100", "c": "10.0.3.100"}) == {
        "10.0.1.10": [OTHER],
        "10.0.1.11": [second],
        "10.0.2.10": [OTHER],
        "10.0.1.100": [OTHER, second],
    }


def test_tags_are_used_only_where_certificates_are_pinned_and_options_go_first() -> None:
    node = [("10.0.1.10", tags("group"))]
    params = {"management_tls": "verify", "fingerprints": None}
    learn_pins(params, node)
    assert params["fingerprints"] is None
    params = {"management_tls": "pin", "fingerprints": {"10.0.1.11": "x"}}
    learn_pins(params, node)
    assert params["fingerprints"] == {"10.0.1.10": [OTHER], "10.0.1.11": "x"}


# vpx_bootstrap


@dataclass
class FakeStatus:
    """EC2, with the tag of one instance; ``seen``: how many requests the appliance had when it was written."""

    script: Scripted
    tag: str | None = None
    seen: list[str] = field(default_factory=list)

    def fingerprint(self, _instance_id: str) -> FakeStatus:
        return self

    def reader(self, _instance_id: str) -> Callable[[], None]:
        return lambda: None

    def read(self) -> str | None:
        return self.tag

    def write(self, text: str) -> None:
        self.tag, self.seen = text, list(self.script.calls)


def bootstrapped(script: Scripted, status: FakeStatus, **options: Any) -> dict[str, Any]:
    """Run the work of the module on the appliance."""
    params = {
        **{name: option.get("default") for name, option in {**nitro_argument_spec(), **argument_spec()}.items()},
        "nsip": script.nsip,
        "instance_id": "i-1",
        "new_password": "s3cret",
        "management_tls": "pin",
        "wait_timeout": 5,
        "nitro_timeout": 5.0,
        **options,
    }
    return work(Job(params), status)  # type: ignore[arg-type]


SAVED = (200, {**DONE, "nsconfig": {"configchanged": False}})


def test_bootstrap_pins_before_its_first_login(script: Scripted, pinned: str) -> None:
    script.answers = [REFUSED, LOGIN, VERSION, SAVED, LOGOUT]
    status = FakeStatus(script)
    result = bootstrapped(script, status)
    assert (result["fingerprint"], result["pinned"], result["changed"], status.tag) == (pinned, True, True, pinned)
    assert status.seen == ["GET /config/nsversion"]
    assert script.calls[1] == "POST /config/login"

    script.answers = [LOGIN, VERSION, SAVED, LOGOUT]
    again = bootstrapped(script, status)
    assert (again["fingerprint"], again["pinned"], again["changed"]) == (pinned, False, False)


def test_bootstrap_refuses_a_changed_certificate_and_takes_an_accepted_one(script: Scripted, pinned: str) -> None:
    status = FakeStatus(script, OTHER)
    with pytest.raises(NitroPinMismatch):
        bootstrapped(script, status)
    assert (script.asked, status.tag) == ([], OTHER)
    script.answers = [LOGIN, VERSION, SAVED, LOGOUT]
    assert bootstrapped(script, status, accept_fingerprints=[pinned])["fingerprint"] == pinned
    assert status.tag == pinned


def test_secondary_of_a_pair_may_have_the_certificate_of_its_peer(script: Scripted, pinned: str) -> None:
    script.answers = [LOGIN, VERSION, SAVED, LOGOUT]
    result = bootstrapped(script, FakeStatus(script), fingerprints={"127.0.0.1": [OTHER, pinned]})
    assert (result["fingerprint"], result["changed"]) == (OTHER, False)


def test_appliance_without_instance_id_needs_a_known_fingerprint(script: Scripted) -> None:
    with pytest.raises(NitroInputError, match="no fingerprint of its certificate is known"):
        bootstrapped(script, FakeStatus(script), instance_id=None)
    assert script.asked == []
