#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_bootstrap
short_description: Perform initial configuration of a NetScaler VPX
version_added: 0.1.0
description:
  - Waits until the appliance answers (after refused connections, TLS that is not ready, HTTP 503), replaces its first
    password, sets licence, host name, features and modes, and saves its configuration.
  - Can be repeated at any time, also after an interrupted run. Settings in the desired state are not changed.
  - Reboots at most once, warm, and only for a licence capacity that is not in effect yet.
  - With O(management_tls=pin) the certificate of O(instance_id) is pinned at the first contact. Its fingerprint is
    kept in the tag C(cloudadc:management_fingerprint) of the instance, written with the credentials of the environment
    before the first login (rights C(ec2:DescribeInstances) and C(ec2:CreateTags)).
  - The number of calls is bounded. A configured appliance needs one login, one read for the version, one for the state
    of the configuration, one each for hostname, features and modes, three for a licence, if requested, one logout, and
    no write.
extends_documentation_fragment:
  - cloudadc.aws.event
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
attributes:
  check_mode:
    details:
      - The module does not wait for an appliance that cannot be reached. Its changes are predicted, as for an appliance
        with its first password. A login that would set O(new_password) is a write and is not made.
options:
  instance_id:
    description:
      - EC2 instance id, which is the first password of V(nsroot) on AWS.
      - While the appliance cannot be logged in to, EC2 is asked every 15 seconds what has become of the instance, with
        the credentials of the environment. The task fails at once if it is stopped or terminated. What the status
        checks say becomes part of the message. Without credentials, or the rights C(ec2:DescribeInstances) and
        C(ec2:DescribeInstanceStatus), the task goes without.
    type: str
  first_login:
    description:
      - Whether the appliance may still have its first password. NITRO answers before the first boot has set it, so a
        refusal of O(instance_id) means that the appliance is not ready, until O(wait_timeout).
      - With V(false), for an appliance that is in service, a refused password fails the task at once. So does silence,
        if a status check of EC2 fails; if EC2 calls the instance healthy, it does after 150 seconds.
    type: bool
    default: true
    version_added: 0.2.0
  region:
    description: AWS region of O(instance_id). Left out, it is that of the environment.
    type: str
    version_added: 0.2.0
  new_password:
    description:
      - The desired password. It is tried first.
      - Later tasks give it as O(nitro_pass). Here O(nitro_pass) is optional; it is another candidate for the present
        password, so that a password can be replaced. That holds for the environment variable E(NETSCALER_NITRO_PASS),
        too. If the variable has the present password, a mistyped O(new_password) becomes the password; without the
        variable it fails.
      - O(nitro_auth_token) is not used here, because a session survives neither a new password nor a reboot.
    type: str
    required: true
  hostname:
    description:
      - Hostname of the appliance.
    type: str
  nodes:
    description:
      - Many appliances instead of one O(nsip), configured in parallel.
      - An entry overrides the module's options of the same names.
      - If some fail, the others are still completed. The task then fails and names the failed ones.
    type: list
    elements: dict
    suboptions:
      nsip:
        description:
          - Address of the appliance's management interface, as O(nsip). Two entries of one appliance are processed in
            order.
        type: str
        required: true
      instance_id:
        description: As O(instance_id).
        type: str
      first_login:
        description: As O(first_login).
        type: bool
        version_added: 0.2.0
      hostname:
        description: As O(hostname).
        type: str
  features:
    description:
      - Features to enable, by the names of C(enable ns feature). Other features are not changed.
    type: list
    elements: str
  modes:
    description:
      - Modes to enable, by the names of C(enable ns mode). Other modes are not changed.
    type: list
    elements: str
  license:
    description:
      - Capacity to check out, one of O(license.bandwidth), O(license.platform) and O(license.vcpu).
      - A change needs O(save_config=true) and causes the one warm reboot.
      - Images of the marketplace that are paid by the hour have their licence and need none of this.
    type: dict
    suboptions:
      mode:
        description:
          - V(las) is the vendor's License Activation Service, since 15 April 2026 the only way for customer-licensed
            images. It needs build 14.1-51.80, 13.1-60.29 or 13.1-37.247 (FIPS) or newer; an older one is refused before
            anything but the first password is written.
          - V(pooled) is the earlier pooled capacity of a licence server.
        type: str
        choices: [pooled, las]
        default: pooled
        version_added: 0.2.0
      username:
        description: User of the License Activation Service. Another user replaces the licence server's entry.
        type: str
        version_added: 0.2.0
      password:
        description:
          - Password of O(license.username). An appliance does not give it back, so a change of the password alone is
            not seen.
        type: str
        version_added: 0.2.0
      offline:
        description:
          - With O(license.mode=las), for an appliance that reaches no licence server. As long as O(license.activations)
            has no file for it, the appliance stays unlicensed, and RV(activation_request) holds what the vendor's
            portal needs to make the file.
        type: bool
        default: false
        version_added: 0.2.0
      activations:
        description:
          - Activation files for O(license.offline), each by the appliance's instance id, hostname or address, its
            content in base64. The file is uploaded to C(/nsconfig/license) and applied, and the appliance reboots.
        type: dict
        version_added: 0.2.0
      server:
        description:
          - Address or name of the licence server (NetScaler Console or its agent). It replaces another server.
          - Required with O(license.mode=las), unless O(license.offline=true).
        type: str
      port:
        description:
          - Port of O(license.server).
        type: int
        default: 27000
      bandwidth:
        description:
          - Bandwidth from the pool, in O(license.unit).
        type: int
      unit:
        description:
          - Unit of O(license.bandwidth).
        type: str
        choices: [Mbps, Gbps]
        default: Mbps
      edition:
        description:
          - Edition to check out with O(license.bandwidth) or O(license.vcpu).
          - V(Advanced) is what NITRO calls V(Enterprise), and V(Premium) is V(Platinum).
        type: str
        choices: [Standard, Advanced, Enterprise, Premium, Platinum]
      platform:
        description:
          - Platform licence to check out, for example V(VP1000). Refused with O(license.mode=las).
        type: str
      vcpu:
        description:
          - Check out licences for the appliance's virtual CPUs. Refused with O(license.mode=las).
        type: bool
        default: false
  accept_fingerprints:
    description:
      - With O(management_tls=pin), SHA-256 fingerprints of certificates that replace a pinned one. An appliance that
        has one of them is held to it from now on. Any other change of a certificate is refused before anything is sent.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  management_certificate:
    description:
      - Certificate under which the appliance serves NITRO and its GUI, instead of its self-signed one. It is bound to
        the internal services C(nshttps-127.0.0.1-443), C(nshttps-::1l-443), C(nsrpcs-…) and C(nskrpcs-…), as far as the
        appliance has them, and read back at the HTTPS port. Another certificate later replaces it in place.
      - With O(management_tls=verify) it must verify, so its subject alternative names must have the address of each
        appliance, and O(ca_path) the authority that issued it. Until it is installed, the self-signed certificate is
        accepted at the first login only, from the first contact on the same one (tag
        C(cloudadc:management_fingerprint) of O(instance_id)).
      - With O(management_tls=pin) its fingerprint is pinned in place of the former one, whatever its names.
      - The nodes of a pair must have the same one, because certificates are synchronised. A cluster takes none, because
        a node that joins it loses its configuration.
    type: dict
    version_added: 0.2.0
    suboptions:
      content:
        description: Certificate in PEM form, the appliance's own first, followed by its intermediates.
        type: str
        required: true
      key:
        description: Private key of the first certificate, in PEM form.
        type: str
        required: true
      passphrase:
        description: Passphrase of an encrypted key.
        type: str
  wait_timeout:
    description:
      - Seconds to wait until the login is accepted, and again after the reboot.
    type: int
    default: 600
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Configure a new appliance
  cloudadc.aws.vpx_bootstrap:
    nsip: 10.0.1.10
    ca_path: /etc/ssl/certs/adc-ca.pem
    instance_id: i-0123456789abcdef0
    new_password: "{{ vault_adc_password }}"
    hostname: adc-a
    features: [LB, SSL]

- name: Check out 1 Gbps of the Premium edition, which reboots it once
  cloudadc.aws.vpx_bootstrap:
    nsip: 10.0.1.10
    ca_path: /etc/ssl/certs/adc-ca.pem
    instance_id: i-0123456789abcdef0
    new_password: "{{ vault_adc_password }}"
    license:
      server: 10.0.9.10
      bandwidth: 1000
      unit: Mbps
      edition: Premium

- name: License it with the License Activation Service
  cloudadc.aws.vpx_bootstrap:
    nsip: 10.0.1.10
    ca_path: /etc/ssl/certs/adc-ca.pem
    instance_id: i-0123456789abcdef0
    new_password: "{{ vault_adc_password }}"
    license:
      mode: las
      server: console.example.com
      username: "{{ vault_las_username }}"
      password: "{{ vault_las_password }}"
      bandwidth: 1000
      edition: Premium

- name: Install a management certificate, with which later tasks verify the appliance
  cloudadc.aws.vpx_bootstrap:
    nsip: 10.0.1.10
    ca_path: /etc/ssl/certs/adc-ca.pem
    instance_id: i-0123456789abcdef0
    new_password: "{{ vault_adc_password }}"
    management_certificate:
      content: "{{ lookup('ansible.builtin.file', 'adc-management.crt') }}"
      key: "{{ vault_adc_management_key }}"

- name: Configure many new appliances in parallel
  cloudadc.aws.vpx_bootstrap:
    nodes:
      - nsip: 10.0.1.10
        instance_id: i-0123456789abcdef0
        hostname: adc-a
      - nsip: 10.0.11.10
        instance_id: i-0fedcba9876543210
        hostname: adc-b
    ca_path: /etc/ssl/certs/adc-ca.pem
    new_password: "{{ vault_adc_password }}"
    features: [LB, SSL]
"""

RETURN = r"""
version:
  description: Version and build; null if the appliance could not be reached (check mode).
  returned: success, with O(nsip)
  type: str
  sample: 13.1-53.24
rebooted:
  description: Whether the appliance was rebooted, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
password_changed:
  description: Whether the password was replaced, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
certificate_installed:
  description: Whether O(management_certificate) was installed or replaced, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
fingerprint:
  description:
    - SHA-256 fingerprint that the appliance's certificate is held to with O(management_tls=pin), or that this task has
      written into the tag after O(management_certificate) was installed, else null.
    - At the first contact it is written into the tag C(cloudadc:management_fingerprint) of O(instance_id), before the
      first login.
  returned: success, with O(nsip)
  type: str
pinned:
  description: Whether it was written into the tag by this task, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
instance_id:
  description: As O(instance_id).
  returned: success, with O(nsip)
  type: str
saved:
  description: Whether the configuration was saved, or would be in check mode.
  returned: success, with O(nsip)
  type: bool
activation_request:
  description:
    - What the vendor's portal needs to activate the appliance offline; null if nothing is to be activated, or the file
      is given already.
  returned: success, with O(nsip)
  type: dict
  contains:
    filename:
      description: Name of the file.
      type: str
      returned: always
    content:
      description: Content of the file in base64.
      type: str
      returned: always
nitro_errorcode:
  description: The appliance's error code.
  returned: when the appliance refused, with O(nsip)
  type: int
nodes:
  description: One entry an appliance, in the order of O(nodes). Also returned when the task failed.
  returned: with O(nodes)
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was given.
      type: str
      returned: always
    changed:
      description: Whether it was changed, or would be in check mode. True for an appliance that failed after a write.
      type: bool
      returned: always
    error:
      description: Why it failed, or null.
      type: str
      returned: always
    written:
      description: The completed writes on it, in order.
      type: list
      elements: str
      returned: when it failed
    nitro_errorcode:
      description: The appliance's error code.
      type: int
      returned: when it refused
    version:
      description: As RV(version).
      type: str
      returned: when it did not fail
    rebooted:
      description: As RV(rebooted).
      type: bool
      returned: when it did not fail
    password_changed:
      description: As RV(password_changed).
      type: bool
      returned: when it did not fail
    certificate_installed:
      description: As RV(certificate_installed).
      type: bool
      returned: when it did not fail
    fingerprint:
      description: As RV(fingerprint).
      type: str
      returned: when it did not fail
    pinned:
      description: As RV(pinned).
      type: bool
      returned: when it did not fail
    instance_id:
      description: As O(instance_id).
      type: str
      returned: when it did not fail
    saved:
      description: As RV(saved).
      type: bool
      returned: when it did not fail
    activation_request:
      description: As RV(activation_request).
      type: dict
      returned: when it did not fail
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ..module_utils.core.fingerprints import PIN, canonical, host_of, pins_from
from ..module_utils.core.nitro_errors import NitroError, NitroInputError, NitroUntrusted
from ..module_utils.nitro import bootstrap, management_certificate
from ..module_utils.nitro.arrival import FirstLogin, LoginRetry, Passwords, reboot
from ..module_utils.nitro.certificates import Certificate
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.first_contact import Contact, Memory, hold
from ..module_utils.nitro.licences import LICENSE_DIRECTORY, License, LicenseState, server_report
from ..module_utils.nitro.one_or_many import Job, one_or_many, run
from ..module_utils.nitro.steps import apply as apply_steps
from ..module_utils.nitro.waiting import wait_until
from ..module_utils.reconcile.claims import claimed, event_argument_spec
from ..module_utils.reconcile.instance_status import InstanceStatus, ec2_client

# How long a licence server may take to answer an appliance that is back from its reboot.
LICENSE_GRACE = 60.0


def passwords_from(params: Mapping[str, Any]) -> Passwords:
    """Return the new password, and those that may be valid until it is set."""
    first = params["instance_id"] if params["first_login"] else None
    candidates = {params["nitro_pass"]: "nitro_pass", first: "instance_id"}
    others = [(name, word) for word, name in candidates.items() if word and word != params["new_password"]]
    return Passwords(params["new_password"], tuple(others))


def read(client: NitroClient, entry: FirstLogin, desired: bootstrap.DesiredAppliance) -> bootstrap.ObservedAppliance:
    """Read what the appliance has of the desired settings, and nothing else."""

    def one(resource: str, needed: object) -> dict[str, Any]:
        rows = client.get(resource) if needed else []
        return rows[0] if rows else {}

    return bootstrap.ObservedAppliance(
        password=entry.password,
        version=entry.version,
        hostname=one("nshostname", desired.hostname).get("hostname"),
        features=bootstrap.names_on(one("nsfeature", desired.features), "feature"),
        modes=bootstrap.names_on(one("nsmode", desired.modes), "mode"),
        license=read_license(client, desired.license),
        unsaved=one("nsconfig", True).get("configchanged") is True,
    )


def read_license(client: NitroClient, licence: License | None) -> LicenseState:
    """Return what the appliance says of its licence: three GETs, two for one that is activated offline."""
    if licence is None:
        return LicenseState()
    row = next(iter(client.get("nslicense")), {})
    if licence.offline:
        files = client.get("systemfile", args={"filelocation": LICENSE_DIRECTORY})
        return LicenseState(license=row, files=frozenset(str(each.get("filename")) for each in files))
    servers = tuple(client.get("nslicenseserver")) if licence.server else ()
    return LicenseState(servers, next(iter(client.get("nscapacity")), {}), row)


def apply_license(
    client: NitroClient, entry: FirstLogin, desired: bootstrap.DesiredAppliance, changes: bootstrap.Plan, timeout: float
) -> None:
    """Licence server, capacity, and the one reboot that puts it into effect."""
    for server in changes.remove_license_servers:
        client.delete("nslicenseserver", server)
    if changes.license_server:
        client.add("nslicenseserver", changes.license_server)
    if changes.capacity:
        client.update("nscapacity", changes.capacity)
    apply_steps(client, changes.activation)
    if not changes.reboot:
        return
    # What is not saved is lost in a reboot: the new password and the capacity itself.
    client.save()
    reboot(client, timeout, clock=time.monotonic, sleep=time.sleep)

    def granted() -> bool:
        observed[0] = read(client, entry, desired)
        return not bootstrap.plan(desired, observed[0]).reboot

    observed = [bootstrap.ObservedAppliance()]
    asked = ", ".join(f"{key} {value}" for key, value in desired.license.body.items()) if desired.license else ""
    wait_until(
        granted,
        LICENSE_GRACE,
        lambda: (
            f"{client.connection.nsip}: rebooted, but the licence is not in effect: {asked or 'activated offline'} "
            f"({server_report(observed[0].license)})"
        ),
    )


def apply(
    client: NitroClient, entry: FirstLogin, desired: bootstrap.DesiredAppliance, changes: bootstrap.Plan, timeout: float
) -> None:
    """Carry out a plan (the password has been seen to on the way in) and check that it came true."""
    apply_license(client, entry, desired, changes, timeout)
    if changes.hostname:
        client.update("nshostname", {"hostname": changes.hostname})
    if changes.features:
        client.act("nsfeature", "enable", {"feature": list(changes.features)})
    if changes.modes:
        client.act("nsmode", "enable", {"mode": list(changes.modes)})
    settings = bool(changes.hostname or changes.features or changes.modes)
    if settings:
        missing = bootstrap.unmet(bootstrap.plan(desired, read(client, entry, desired)))
        if missing:
            raise NitroError(f"{client.connection.nsip}: {missing}")
    if changes.save and (settings or not changes.reboot):
        client.save()


def work(job: Job, status: InstanceStatus) -> dict[str, Any]:
    """Handle one appliance; check mode writes nothing and waits for nothing."""
    desired = bootstrap.DesiredAppliance.from_params(job.params)
    certificate = management_certificate.certificate_from(job.params["management_certificate"])
    timeout = job.params["wait_timeout"]
    instance_id = job.params["instance_id"]
    first_login = bool(instance_id) and job.params["first_login"]
    contact = first_contact(job, status, certificate)
    if contact.fingerprint is None and job.params["management_tls"] == PIN:
        # Check mode: there is nothing yet whose certificate could be pinned.
        job.warn(f"{job.nsip}: does not answer, taken for an appliance that is not ready yet")
        return unread(desired, bootstrap.ObservedAppliance(), contact, job)
    login_retry = LoginRetry(
        job.connection(contact.accepted),
        passwords_from(job.params),
        may_change=not job.check,
        first_password=first_login,
        in_service=bool(instance_id) and not first_login,
        instance=status.reader(instance_id),
    )
    entry = login_retry.attempt() if job.check else login_retry.wait(timeout)
    if entry is None and job.check:
        job.warn(f"{login_retry.last}: taken for an appliance that is not ready yet")
    if entry is None or entry.client is None:
        found = bootstrap.ObservedAppliance() if entry is None else bootstrap.ObservedAppliance(password=entry.password)
        return unread(desired, found, contact, job)
    with entry.client as client:
        found = read(client, entry, desired)
        changes = bootstrap.plan(desired, found)
        if obstacle := bootstrap.obstacle(desired, found):
            raise NitroInputError(f"{job.nsip}: {obstacle}")
        activation_request = request_activation(job, client, desired)
        if not job.check:
            apply(client, entry, desired, changes, timeout)
        if certificate is not None:
            placed = place_certificate(job, client, certificate, save=desired.save)
            contact = remembered(job, status, contact, certificate, placed=placed)
            changes = replace(changes, certificate=placed, save=changes.save or (placed and desired.save))
    return {**result(desired, found, changes, contact, job), "activation_request": activation_request}


def unread(
    desired: bootstrap.DesiredAppliance, found: bootstrap.ObservedAppliance, contact: Contact, job: Job
) -> dict[str, Any]:
    """Return the result of an appliance that cannot be read yet: all that is desired would be a change."""
    changes = bootstrap.plan(desired, found)
    changes = replace(changes, certificate=bool(job.params["management_certificate"]))
    return {**result(desired, found, changes, contact, job), "activation_request": None}


def place_certificate(job: Job, client: NitroClient, certificate: Certificate, *, save: bool) -> bool:
    """Install the management certificate, and return whether that was, or would be, a change. Raises NitroError."""
    placed = management_certificate.install(client, certificate, check=job.check)
    if not placed or job.check:
        return placed
    if save:
        client.save()
    verified = job.params["management_tls"] != PIN and job.params["validate_certs"]
    management_certificate.require_served(job.unchecked(), job.connection() if verified else None, certificate)
    return placed


def remembered(
    job: Job, status: InstanceStatus, contact: Contact, certificate: Certificate, *, placed: bool
) -> Contact:
    """Return the contact with the management certificate, once the tag of the instance has its fingerprint.

    Raises NitroError: The tag cannot be written, and later tasks compare it.
    """
    new, instance_id = management_certificate.fingerprint_of(certificate), job.params["instance_id"]
    if contact.fingerprint == new or (contact.fingerprint is None and not placed):
        return contact
    if instance_id and not job.check:
        try:
            status.fingerprint(instance_id).write(new)
        except NitroError as error:
            if contact.fingerprint is not None:
                raise
            job.warn(f"{error}. Once the certificate has expired, accept_fingerprints is needed to replace it")
            return contact
    return Contact(new, pinned=bool(instance_id))


def first_contact(job: Job, status: InstanceStatus, certificate: Certificate | None) -> Contact:
    """Return the certificate that the appliance is held to; None where authorities vouch for it, or nothing does.

    With ``management_tls=verify`` an appliance whose certificate does not verify is held to its fingerprint until the
    management certificate is installed: the one in the tag of its instance, or at the first login that of the first
    contact. Raises NitroError.
    """
    if job.params["management_tls"] != PIN:
        if certificate is None or not needs_pin(job):
            return Contact(None)
        contact = pinned_contact(job, status, certificate)
    else:
        contact = pinned_contact(job, status, certificate)
    if certificate is None or contact.fingerprint is None:
        return contact
    return replace(contact, also=(*contact.also, management_certificate.fingerprint_of(certificate)))


def needs_pin(job: Job) -> bool:
    """Return whether an appliance cannot be verified yet, although its certificate is to be. Raises NitroError."""
    if not job.params["validate_certs"] or job.params["nitro_protocol"] == "http":
        return False
    trusted = management_certificate.is_trusted(job.connection())
    if trusted:
        return False
    first = job.params["instance_id"] and job.params["first_login"]
    # One that does not answer yet has its own certificate when it does, unless it is in service.
    return trusted is False if not first else not (job.check and trusted is None)


def pinned_contact(job: Job, status: InstanceStatus, certificate: Certificate | None) -> Contact:
    """Return the fingerprint that the appliance is held to. Raises NitroError."""
    instance_id = job.params["instance_id"]
    pins = pins_from(job.params)
    given = pins.given.get(host_of(job.nsip), ())
    if not instance_id:
        if not pins.of(job.nsip):
            raise NitroUntrusted(
                f"{job.nsip}: its certificate does not verify. With instance_id the certificate of the first contact "
                "is accepted until management_certificate is installed; or give its fingerprint"
            )
        first, *also = pins.of(job.nsip)
        return Contact(first, also=tuple(also))
    tag = status.fingerprint(instance_id)
    memory = Memory(lambda: given[0] if given else tag.read(), tag.write)
    accepted = [canonical(text, "accept_fingerprints") for text in job.params["accept_fingerprints"]]
    accepted += [management_certificate.fingerprint_of(certificate)] if certificate else []
    if job.params["management_tls"] != PIN and not job.params["first_login"] and memory.read() is None:
        raise NitroUntrusted(
            f"{job.nsip}: its certificate does not verify, and tag cloudadc:management_fingerprint of {instance_id} "
            "names no other one, so nothing was sent. Accept the present one once with management_tls=pin and "
            "first_login=true"
        )
    contact = hold(
        job.unchecked(),
        memory,
        accepted,
        job.params["wait_timeout"],
        check=job.check,
        instance=status.reader(instance_id),
    )
    return contact if contact.pinned else replace(contact, also=given[1:])


def request_activation(job: Job, client: NitroClient, desired: bootstrap.DesiredAppliance) -> dict[str, str] | None:
    """Return what the vendor needs to activate an appliance offline, as long as its activation file is not given.

    The appliance writes it into a file (a GET that is none, so not in check mode), whose content is read.
    """
    if job.check or desired.license is None or not desired.license.offline or desired.activation is not None:
        return None
    name = str(next(iter(client.get("nslicenseactivationdata")), {}).get("filename") or "")
    files = client.get("systemfile", name, args={"filelocation": LICENSE_DIRECTORY}) if name else []
    if not files:
        raise NitroError(f"{job.nsip}: the appliance gave no data for its activation (nslicenseactivationdata)")
    job.warn(f"{job.nsip}: it is not licensed yet. Have activation_request activated, and give license.activations.")
    return {"filename": name, "content": str(files[0].get("filecontent") or "")}


def result(
    desired: bootstrap.DesiredAppliance,
    found: bootstrap.ObservedAppliance,
    changes: bootstrap.Plan,
    contact: Contact,
    job: Job,
) -> dict[str, Any]:
    return {
        "changed": not changes.empty or contact.pinned,
        "instance_id": job.params["instance_id"],
        "fingerprint": contact.fingerprint,
        "pinned": contact.pinned,
        "version": found.version,
        "certificate_installed": changes.certificate,
        "rebooted": changes.reboot,
        "password_changed": changes.change_password,
        "saved": changes.save,
        "diff": bootstrap.diff(desired, found, changes),
    }


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    license_spec = {
        "mode": {"type": "str", "choices": ["pooled", "las"], "default": "pooled"},
        "offline": {"type": "bool", "default": False},
        "activations": {"type": "dict", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "server": {"type": "str"},
        "port": {"type": "int", "default": 27000},
        "bandwidth": {"type": "int"},
        "unit": {"type": "str", "choices": ["Mbps", "Gbps"], "default": "Mbps"},
        "edition": {"type": "str", "choices": ["Standard", "Advanced", "Enterprise", "Premium", "Platinum"]},
        "platform": {"type": "str"},
        "vcpu": {"type": "bool", "default": False},
    }
    return {
        "instance_id": {"type": "str"},
        "first_login": {"type": "bool", "default": True},
        "region": {"type": "str"},
        "new_password": {"type": "str", "required": True, "no_log": True},
        "hostname": {"type": "str"},
        "features": {"type": "list", "elements": "str"},
        "modes": {"type": "list", "elements": "str"},
        "license": {"type": "dict", "options": license_spec},
        "accept_fingerprints": {"type": "list", "elements": "str", "default": []},
        "wait_timeout": {"type": "int", "default": 600},
        "management_certificate": management_certificate.OPTION,
        "event": event_argument_spec(),
    }


def main() -> None:
    module = one_or_many(argument_spec(), per_node=("instance_id", "first_login", "hostname"))
    status = InstanceStatus(partial(ec2_client, module.params["region"]))
    with claimed(module):
        run(module, partial(work, status=status))


if __name__ == "__main__":
    main()
