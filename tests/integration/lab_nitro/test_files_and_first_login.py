"""Keys of other certificates, files that reach the secondary later, the first login, Elastic IPs that nodes move."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.certificates import encrypted, issue
from tests.integration.lab_nitro.harness import PASSWORD, Bench, Client, refused

A, B = "127.77.1.10", "127.77.21.10"
VIP_A, VIP_B = "127.77.2.10", "127.77.22.10"


def _key_pair() -> tuple[str, str]:
    """(certificate, key), base64 of PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=30))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return base64.b64encode(certificate).decode(), base64.b64encode(key.private_bytes(*form)).decode()


def _upload(node: Client, **files: str) -> None:
    for name, content in files.items():
        node.add("systemfile", filename=name, filelocation="/nsconfig/ssl", filecontent=content)


def test_a_key_of_another_certificate_is_refused(node: Client) -> None:
    """nitro_errors.tsv: 1538 NSERR_SSL_NOMATCH, "Certificate and private key do not match"."""
    certificate, key = _key_pair()
    other_certificate, other_key = _key_pair()
    _upload(node, cert=certificate, key=key, cert2=other_certificate, key2=other_key)
    reply = node.post("config/sslcertkey", {"sslcertkey": {"certkey": "web", "cert": "cert", "key": "key2"}})
    assert refused(reply) == (599, 1538)
    assert reply.json()["message"] == "Certificate and private key do not match"
    node.add("sslcertkey", certkey="web", cert="cert", key="key")
    change = {"sslcertkey": {"certkey": "web", "cert": "cert2", "key": "key", "nodomaincheck": True}}
    assert refused(node.post("config/sslcertkey?action=update", change)) == (599, 1538)
    change["sslcertkey"]["key"] = "key2"
    assert node.post("config/sslcertkey?action=update", change).status_code == 200


def test_a_certificate_is_taken_once_and_linked_to_its_issuer_only(node: Client) -> None:
    """273 "certkeyName Contents" (netscaler/ansible-collection-netscaleradc, issue 402); nitro_errors.tsv: 1537, 1541,
    1543, 1545, 1548.
    """
    issued, other = issue(chain=1), issue(chain=1, issuer="Other")
    texts = {"web": issued.certificate, "r3": issued.chain[0], "x1": other.chain[0], "key": encrypted(issued.key, "pw")}
    _upload(node, **{name: base64.b64encode(text.encode()).decode() for name, text in texts.items()})
    load = {"certkey": "web", "cert": "web", "key": "key"}
    assert refused(node.post("config/sslcertkey", {"sslcertkey": load})) == (599, 1537)
    node.add("sslcertkey", **load, passplain="pw")
    for name in ("r3", "x1"):
        node.add("sslcertkey", certkey=name, cert=name)
    again = node.post("config/sslcertkey", {"sslcertkey": {"certkey": "again", "cert": "r3"}})
    assert refused(again) == (409, 273)
    assert again.json()["message"] == "Resource already exists [certkeyName Contents, r3]"

    def act(verb: str, **fields: str) -> tuple[int, int]:
        return refused(node.post(f"config/sslcertkey?action={verb}", {"sslcertkey": {"certkey": "web", **fields}}))

    assert act("unlink") == (599, 1545)
    assert act("link", linkcertkeyname="web") == (599, 1543)
    assert act("link", linkcertkeyname="x1") == (599, 1548)
    node.do("sslcertkey", "link", certkey="web", linkcertkeyname="r3")
    assert refused(node.delete("config/sslcertkey/r3")) == (599, 1541)
    assert node.rows("sslcertkey", "/r3")[0]["certificatetype"] == ["INTM_CERT"]


def test_the_first_login_works_some_seconds_after_nitro_opens(bench: Bench) -> None:
    """aws_vpx.md, section 2a, "First contact"."""
    bench.side.settings.first_login_seconds = 20.0
    nsip = bench.launch("i-0aaa", A)
    bench.wait(bench.side.settings.cold.total + 1, step=5)
    node = bench.client(nsip)
    first = {"login": {"username": "nsroot", "password": "i-0aaa", "new_password": PASSWORD}}
    assert refused(node.post("config/login", first)) == (401, 354)
    bench.wait(20)
    assert node.post("config/login", first).status_code == 201


@pytest.fixture
def pair(bench: Bench) -> tuple[Client, Client]:
    """Return a pair across two networks, with an IPSet on both nodes and a virtual server that has it."""
    a = bench.booted("i-0aaa", A, VIP_A)
    b = bench.booted("i-0bbb", B, VIP_B)
    a.do("nsfeature", "enable", feature=["LB", "SSL"])
    a.add("hanode", id=1, ipaddress=B, inc="ENABLED")
    b.add("hanode", id=1, ipaddress=A, inc="ENABLED")
    bench.wait(30)
    b.login()
    a.add("nsip", ipaddress=VIP_B, netmask="255.255.255.255", type="VIP")
    for node in (a, b):
        node.add("ipset", name="ips")
        node.bind("ipset_nsip_binding", name="ips", ipaddress=VIP_B)
    a.add("lbvserver", name="web", servicetype="HTTP", ipv46=VIP_A, port=8080, ipset="ips")
    a.add("lbvserver", name="alone", servicetype="HTTP", ipv46=VIP_A, port=8081)
    return a, b


def test_a_certificate_fails_on_the_secondary_until_its_files_are_there(
    bench: Bench, pair: tuple[Client, Client]
) -> None:
    """aws_vpx.md, section 2a, "Certificates"; CTX138748: rsync, about once a minute, pulled by the secondary."""
    a, b = pair
    bench.side.settings.file_sync_seconds = 60.0
    bench.wait(61, step=5)
    certificate, key = _key_pair()
    _upload(a, cert=certificate, key=key)
    a.add("sslcertkey", certkey="early", cert="cert", key="key")
    assert ([row["certkey"] for row in a.rows("sslcertkey")], b.rows("sslcertkey")) == (["early"], [])
    other_certificate, other_key = _key_pair()
    _upload(a, cert2=other_certificate, key2=other_key)
    a.do("hafiles", "sync", mode=["ssl"])
    a.add("sslcertkey", certkey="late", cert="cert2", key="key2")
    assert [row["certkey"] for row in b.rows("sslcertkey")] == ["late"]
    _upload(a, chain=certificate)
    bench.wait(61, step=5)
    assert "chain" in {row["filename"] for row in b.rows("systemfile", "?args=filelocation:%2Fnsconfig%2Fssl")}


@pytest.mark.parametrize(("mode", "moves"), [("off", False), ("on", True), ("failing", False)])
def test_a_new_primary_moves_its_elastic_ips_or_not(
    bench: Bench, pair: tuple[Client, Client], mode: str, moves: bool
) -> None:
    """aws_vpx.md, sections 0 and 1.1: the appliance's own failover, for virtual servers with an IPSet only."""
    reported: list[tuple[str, dict[str, str]]] = []
    bench.side.set_elastic_ip_mover(lambda instance_id, associations: reported.append((instance_id, associations)))
    bench.side.settings.moves_elastic_ips = mode
    a, b = pair
    a.do("hafailover", "Force", force=True)
    bench.wait(bench.side.settings.elastic_ip_seconds + 1)
    assert reported == ([("i-0bbb", {VIP_A: VIP_B})] if moves else [])
    b.do("hafailover", "Force", force=True)
    bench.wait(bench.side.settings.elastic_ip_seconds + 1)
    assert reported[1:] == ([("i-0aaa", {VIP_B: VIP_A})] if moves else [])
