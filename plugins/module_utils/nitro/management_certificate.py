# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The certificate under which an appliance serves NITRO and its GUI: one certkey, bound to the internal services.

Source: vendor's NITRO reference, sslcertkey and sslservice_sslcertkey_binding; names of the internal services as
configurations of appliances show them (``set ssl service nshttps-127.0.0.1-443``, …). Which of the optional ones an
appliance has differs between builds, so those are bound that have a certificate already.
"""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.fingerprints import fingerprint
from ..core.nitro_errors import NitroCut, NitroError, NitroInputError, NitroUnreachable, NitroUntrusted
from ..spec.certificates import compare, form_problems, split
from .certificate_read import read_for_present
from .certificates import Certificate, CertkeyState, certkey_steps, obsolete_steps
from .client import Connection, NitroClient
from .first_contact import observed_fingerprint
from .steps import FILE_EXISTS, Change, Reader, apply, text_of
from .waiting import wait_until

CERTKEY = "cloudadc-management"
#: NITRO and the GUI.
GUI = "nshttps-127.0.0.1-443"
#: The same over IPv6, and the secure channels of pairs and clusters.
OPTIONAL = ("nshttps-::1l-443", "nsrpcs-127.0.0.1-3008", "nsrpcs-::1l-3008", "nskrpcs-127.0.0.1-3009")
BINDING = "sslservice_sslcertkey_binding"
#: The vendor's names of files begin otherwise, and so do those of applications.
FILE_PREFIX = "cloudadc-mgmt."
#: Codes of an object and of a file that exist already: the peer of a pair hands its own on at the same moment.
_EXISTS = (273, FILE_EXISTS)
_ATTEMPTS = 5
_TRY_SECONDS = 5.0
#: Seconds until new connections have the new certificate.
WAIT_SECONDS = 60.0

OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        "content": {"type": "str", "required": True},
        "key": {"type": "str", "required": True, "no_log": True},
        "passphrase": {"type": "str", "no_log": True},
    },
}


@dataclass(frozen=True, slots=True)
class Observed:
    """What an appliance has. ``bound``: the server certificates of each internal service that has one."""

    keys: CertkeyState = field(default_factory=CertkeyState)
    bound: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def certificate_from(option: Mapping[str, Any] | None) -> Certificate | None:
    """Return the option ``management_certificate`` in its parsed form; None for none.

    Raises:
        NitroInputError: It is no certificate with its key; nothing of the texts is quoted.
    """
    if not option:
        return None
    content, key, passphrase = str(option.get("content")), str(option.get("key")), option.get("passphrase")
    problems = form_problems(content, key, passphrase) or list(compare(content, key, passphrase).problems)
    if problems:
        raise NitroInputError("; ".join(problems).replace("certificate.", "management_certificate."))
    own, *chain = split(content)
    stem = hashlib.sha256(f"{own}\0{key}".encode()).hexdigest()[:16]
    return Certificate(CERTKEY, own, key, passphrase, FILE_PREFIX + stem, tuple(chain))


def fingerprint_of(certificate: Certificate) -> str:
    """Return the SHA-256 fingerprint of the server's own certificate."""
    return fingerprint(ssl.PEM_cert_to_DER_cert(str(certificate.content)))


def observe(client: Reader, certificate: Certificate) -> Observed:
    """Return what the plan needs: the certkeys, and one GET for each internal service."""
    found = {name: _server_certificates(client.get(BINDING, name)) for name in (GUI, *OPTIONAL)}
    return Observed(read_for_present(client, certificate), {name: bound for name, bound in found.items() if bound})


def _server_certificates(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(text_of(row, "certkeyname") for row in rows if not row.get("ca") and not row.get("snicert"))


def steps(certificate: Certificate, observed: Observed) -> list[Change]:
    """Return the writes: files and certkey, its bindings, and then what is obsolete.

    A service keeps its former certificate until the new one is bound. A former one that the appliance has not replaced
    by itself is unbound by the next plan.
    """
    # Each node of a pair gets the files itself, so that none waits for the synchronisation of files.
    keys = CertkeyState(observed.keys.rows, observed.keys.files, observed.keys.authorities)
    changes = certkey_steps(certificate, keys)
    for service in (GUI, *(name for name in OPTIONAL if name in observed.bound)):
        names = observed.bound.get(service, ())
        if CERTKEY not in names:
            changes.append(Change("bind", BINDING, body={"servicename": service, "certkeyname": CERTKEY}))
            continue
        changes += [Change("delete", BINDING, service, args={"certkeyname": name}) for name in names if name != CERTKEY]
    return [*changes, *obsolete_steps(certificate, keys)]


def install(client: NitroClient, certificate: Certificate, *, check: bool) -> bool:
    """Make it so, and return whether something was written, or would be in check mode. The caller saves.

    Raises:
        NitroError: The appliance refused, or another certificate is still bound.
    """
    written = False
    for _attempt in range(_ATTEMPTS):
        due = steps(certificate, observe(client, certificate))
        if check or not due:
            return bool(due) or written
        written = True
        try:
            apply(client, due)
        except NitroCut:
            continue  # the write may have been carried out: look again
        except NitroError as error:
            if error.code not in _EXISTS:
                raise
    missing = ", ".join(change.phrase for change in due)
    raise NitroError(f"{client.connection.nsip}: the management certificate is not in place, still due: {missing}")


def is_trusted(connection: Connection) -> bool | None:
    """Return whether the certificate that an appliance has now verifies; None for one that does not answer."""
    client = NitroClient(connection)
    try:
        client.attempt(_TRY_SECONDS)
    except NitroUntrusted:
        return False
    except NitroUnreachable:
        return None
    finally:
        client.close()
    return True


def require_served(
    unchecked: Connection,
    verified: Connection | None,
    certificate: Certificate,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until new connections have the certificate, and read it back as later tasks will.

    Args:
        unchecked: how to reach the appliance without a check.
        verified: how later tasks reach it; None: they compare fingerprints.
        certificate: the certificate.
        clock: seconds.
        sleep: seconds.

    Raises:
        NitroError: It is not served, or it does not verify.
    """
    desired, last = fingerprint_of(certificate), [""]

    def served() -> bool:
        try:
            last[0] = f"it has {observed_fingerprint(unchecked)}"
        except NitroUnreachable as error:
            last[0] = str(error)
        return last[0].endswith(desired)

    wait_until(
        served,
        WAIT_SECONDS,
        lambda: f"{unchecked.nsip}: the management certificate {desired} is bound and not served: {last[0]}",
        clock=clock,
        sleep=sleep,
    )
    if verified is None:
        return
    client = NitroClient(verified)
    try:
        client.attempt(_TRY_SECONDS)
    except NitroUntrusted as error:
        raise error.and_also(
            "the management certificate is installed. Give the authority that issued it (ca_path), and a certificate "
            "for this address (subject alternative name), or use management_tls=pin"
        ) from None
    finally:
        client.close()
