#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_application
short_description: Manage a load-balanced application on a NetScaler VPX
version_added: 0.1.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Manages the objects of a load-balancing StyleBook - a virtual server, its back ends, monitor, load-balancing method,
    persistence, and the certificate.
  - An application C(web) is made of the lbvserver C(web), the service group C(web-sg) with one member for each back
    end, the monitor C(web-mon) if O(monitor) describes one, and the certkey C(web-cert) if O(certificate) contains one.
    A back end with a new address gets a server object named like its address.
  - Objects are created from the back ends to the virtual server, so that it never refers to an incomplete object.
  - The protocol and the port of a virtual server, and the protocol of a service group, cannot be changed on an
    appliance. When O(protocol), O(port) or O(backend_protocol) differs, the object is deleted and created again, after
    everything else is ready. Meanwhile the application does not answer, and other bindings of the object (policies, for
    example) are lost, as are settings that the task does not name.
  - Calls - one login and logout per appliance. For each application, eight GETs if nothing differs, one more with
    O(monitor), up to three more with O(certificate) (and one for each certkey of an authority that was not loaded here,
    while an intermediate is missing), one more to check for other users of the address and port of a new or moved
    virtual server, and two more to check for other users of a server object before it is deleted. Where back ends are
    DOWN, one more, and one for each of the first eight of them. If something differs,
    one write per object and the same GETs again to read back, and one save per appliance.
options:
  name:
    description:
      - Name of the application and of its virtual server. Required, here or in every entry of O(nodes).
    type: str
  protocol:
    description: Protocol for clients.
    type: str
    choices: &protocols [HTTP, SSL, TCP, UDP, SSL_TCP, SSL_BRIDGE, ANY, DNS, DNS_TCP, FTP, TFTP, NNTP, RTSP, DTLS, QUIC,
      SIP_UDP, SIP_TCP, SIP_SSL, RADIUS, RDP, MYSQL, MSSQL, ORACLE, DIAMETER, SSL_DIAMETER, FIX, SSL_FIX, SMPP,
      SYSLOGTCP, SYSLOGUDP]
    default: HTTP
  port:
    description: Port at which it answers. Needed with O(state=present).
    type: int
  virtual_ip:
    description:
      - Address at which it answers.
      - By default it is not changed. A new virtual server takes the lowest IPv4 address of O(ipset).
    type: str
  ipset:
    description:
      - IPSet on whose addresses it answers too (see M(cloudadc.aws.vpx_ipset)), which must exist.
      - An empty string removes the present one. By default it is not changed.
    type: str
  backends:
    description:
      - The back ends. By default they are not changed.
      - One address with two ports is two back ends.
    type: list
    elements: dict
    suboptions: &backends
      address:
        description: IPv4 or IPv6 address.
        type: str
        required: true
      port:
        description: Port.
        type: int
        required: true
      weight:
        description: Share of the requests, from 1 to 100. By default an existing member keeps its weight, a new one has
          V(1).
        type: int
  purge_backends:
    description:
      - Whether members that O(backends) does not name are removed.
      - Unused server objects that this module created are removed with them.
    type: bool
    default: true
  backend_protocol:
    description:
      - Protocol between appliance and back ends.
      - Default is O(protocol), without TLS if the appliance terminates it (V(HTTP) for V(SSL), V(TCP) for
        V(SSL_TCP), and so on).
    type: str
    choices: &backend_protocols [HTTP, SSL, TCP, UDP, SSL_TCP, SSL_BRIDGE, ANY, DNS, DNS_TCP, FTP, TFTP, NNTP, RTSP,
      DTLS, SIP_UDP, SIP_TCP, SIP_SSL, RADIUS, RDP, MYSQL, MSSQL, ORACLE, DIAMETER, SSL_DIAMETER, FIX, SSL_FIX, SMPP,
      SYSLOGTCP, SYSLOGUDP]
  monitor:
    description:
      - Monitor of the back ends. The name of an existing monitor (V(ping), V(http), V(tcp-ecv) are built in), or a
        dictionary of the fields of NITRO's C(lbmonitor) with at least its C(type), for one that is created for this
        application.
      - It is then the only monitor bound to the service group. By default monitors are not changed.
      - A password in it is set when the monitor is created; a change of only the password is not detected, because an
        appliance does not return it.
    type: raw
  lb_method:
    description: Load-balancing method. By default it is not changed (the appliance's default is V(LEASTCONNECTION)).
    type: str
    choices: &lb_methods [ROUNDROBIN, LEASTCONNECTION, LEASTRESPONSETIME, URLHASH, DOMAINHASH, DESTINATIONIPHASH,
      SOURCEIPHASH, SRCIPDESTIPHASH, LEASTBANDWIDTH, LEASTPACKETS, TOKEN, SRCIPSRCPORTHASH, LRTM, CALLIDHASH,
      CUSTOMLOAD, LEASTREQUEST, AUDITLOGHASH, STATICPROXIMITY]
  persistence:
    description:
      - Persistence of clients. A type (V(COOKIEINSERT), V(SOURCEIP), V(SSLSESSION),
        V(NONE), …), or a dictionary of C(type) and C(timeout) in minutes.
      - By default it is not changed.
    type: raw
  process_local:
    description:
      - In a cluster, whether the node at which a connection arrives processes it. With V(false) the cluster may hand it
        over to another node by its backplane. That node answers with an address that is none of its own interfaces',
        and EC2 drops the answer unless the source/destination check of its client interface is off.
      - Left out, it stays as it is (an appliance begins with V(false)). It has no effect outside of a cluster.
    type: bool
    version_added: 0.2.0
  enabled:
    description:
      - Whether a virtual server that was disabled is enabled again. With V(false) its state is not changed.
    type: bool
    default: false
    version_added: 0.2.0
  only_own:
    description:
      - With O(state=absent), keep a virtual server whose back ends were not configured by this module, and warn of it.
    type: bool
    default: false
    version_added: 0.2.0
  monitor_timeout:
    description:
      - Seconds for which back ends that are DOWN are looked at again after a change, as a monitor that was just bound
        has no answer yet. A back end that stays DOWN is no failure of the task.
    type: int
    default: 0
    version_added: 0.2.0
  observers:
    description:
      - Addresses (NSIP) of further appliances that monitor the same back ends, such as the secondary of an HA pair, or
        the nodes of a cluster that is configured at its CLIP.
        What they say is returned. Nothing is written on them, and one that does not answer is left out with a warning.
    type: list
    elements: str
    version_added: 0.2.0
  certificate:
    description: Certificate of a protocol with TLS on the appliance. By default it is not changed.
    type: dict
    suboptions: &certificate
      certkey:
        description: Name of an existing certkey.
        type: str
      name:
        description:
          - Name of the certkey as which O(certificate.content) is loaded, 31 characters at most. Left out, it is
            C(<name of the application>-cert).
          - An appliance takes the same certificate only once. Applications that share one give the same name here. The
            certkey is removed with the last of them.
        type: str
        version_added: 0.2.0
      content:
        description:
          - The server's certificate in PEM form, followed by its intermediates if there are any, each by its issuer
            (the file that many certificate authorities call I(fullchain)).
          - The files are uploaded to C(/nsconfig/ssl). The names of the certificate's file, and of the file of
            O(certificate.key), carry a digest of both. A change of either replaces both in the same certkey, which
            stays bound. Earlier files of the application are then removed.
          - Each intermediate is loaded as certkey C(cloudadc-ca-<digest>), shared by all certificates that it issued,
            and linked. One that is on the appliance under another name is linked under that name. An intermediate that
            is linked already keeps its link. Intermediates that were loaded here go when no certkey is linked to them.
          - Without an intermediate in it, links stay as they are.
        type: str
      key:
        description:
          - The private key of the first certificate in O(certificate.content) in PEM form.
          - It is compared with the certificate, and each certificate with its issuer, before anything is written. This
            needs the Python library C(cryptography), which ansible-core brings to the controller. Where it is missing,
            the task warns, and the appliance compares.
        type: str
      passphrase:
        description: Passphrase of O(certificate.key). Needed if the key is encrypted.
        type: str
  certificate_nodes:
    description:
      - Management addresses of the other nodes of the pair or cluster, of which O(nsip) is the primary or the cluster's
        address. Each is logged in to as O(nsip) is. Addresses that are O(nsip) itself are skipped.
      - With O(certificate.content) the certkey is read on each of them at the end. Where it is missing or old, files
        and configuration are synchronised once more, and waited for up to a minute. A node that does not answer is a
        warning.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  nodes:
    description:
      - Many appliances instead of one O(nsip), configured in parallel. Each has its own login with O(nitro_user) and
        O(nitro_pass); O(nitro_auth_token), the session of one appliance, is not used.
      - An entry overrides the module's options of the same names.
      - An appliance that is named several times (for several applications) has one session. Its entries are processed
        in order, and its configuration is saved once, if one of them changed something.
      - Not for both nodes of an HA pair, because the primary synchronises its changes to the secondary. Configure the
        primary only, or use one task after the other.
      - If some fail, the others are still completed. The task then fails and names the failed ones.
    type: list
    elements: dict
    suboptions:
      nsip:
        description:
          - Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
      name:
        description: As O(name).
        type: str
      protocol:
        description: As O(protocol).
        type: str
        choices: *protocols
      port:
        description: As O(port).
        type: int
      virtual_ip:
        description: As O(virtual_ip), instead of it.
        type: str
      ipset:
        description: As O(ipset), instead of it.
        type: str
      backends:
        description: As O(backends), instead of them.
        type: list
        elements: dict
        suboptions: *backends
      purge_backends:
        description: As O(purge_backends).
        type: bool
      backend_protocol:
        description: As O(backend_protocol).
        type: str
        choices: *backend_protocols
      monitor:
        description: As O(monitor), instead of it.
        type: raw
      lb_method:
        description: As O(lb_method).
        type: str
        choices: *lb_methods
      persistence:
        description: As O(persistence), instead of it.
        type: raw
      process_local:
        description: As O(process_local).
        type: bool
        version_added: 0.2.0
      enabled:
        description: As O(enabled).
        type: bool
        version_added: 0.2.0
      only_own:
        description: As O(only_own).
        type: bool
        version_added: 0.2.0
      monitor_timeout:
        description: As O(monitor_timeout).
        type: int
        version_added: 0.2.0
      observers:
        description: As O(observers), instead of them.
        type: list
        elements: str
        version_added: 0.2.0
      certificate:
        description: As O(certificate), instead of it.
        type: dict
        suboptions: *certificate
      certificate_nodes:
        description: As O(certificate_nodes), instead of them.
        type: list
        elements: str
        version_added: 0.2.0
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
  state:
    description:
      - With V(absent), everything that this module creates for the application is removed, and nothing else. Server
        objects with other users, the IPSet and a named certkey are kept.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
seealso:
  - module: cloudadc.aws.vpx_ipset
notes:
  - Before the first write, the task fails if the feature LB (or SSL) is off, or if the named IPSet, monitor or certkey
    does not exist. In check mode these are warnings, because an earlier task may create them.
"""

EXAMPLES = r"""
- name: Create a web application on the address of this node and of its peer
  cloudadc.aws.vpx_application:
    nsip: 10.0.1.10
    nitro_pass: "{{ vpx_password }}"
    name: web
    protocol: HTTP
    port: 80
    virtual_ip: 10.0.2.10
    ipset: clients
    backends:
      - address: 10.0.3.20
        port: 8080
      - address: 10.0.3.21
        port: 8080
        weight: 2
    monitor:
      type: HTTP
      httprequest: GET /health
      respcode: [200]
      interval: 5
    persistence: COOKIEINSERT

- name: Create one with TLS termination on the appliance
  cloudadc.aws.vpx_application:
    nsip: 10.0.1.10
    nitro_pass: "{{ vpx_password }}"
    name: web-tls
    protocol: SSL
    port: 443
    virtual_ip: 10.0.2.10
    certificate: # web.crt holds the certificate and its intermediates
      content: "{{ lookup('ansible.builtin.file', 'web.crt') }}"
      key: "{{ lookup('ansible.builtin.file', 'web.key') }}"
    certificate_nodes: [10.0.11.10]
    backends:
      - address: 10.0.3.20
        port: 8080
    persistence:
      type: SOURCEIP
      timeout: 10

- name: Create the application on every node of a group, each with its own address
  cloudadc.aws.vpx_application:
    nitro_pass: "{{ vpx_password }}"
    nodes:
      - nsip: 10.0.1.10
        virtual_ip: 10.0.2.10
      - nsip: 10.0.1.11
        virtual_ip: 10.0.2.11
    name: web
    port: 80
    backends:
      - address: 10.0.3.20
        port: 8080

- name: Create several applications on several nodes, one session per node
  cloudadc.aws.vpx_application:
    nitro_pass: "{{ vpx_password }}"
    nodes:
      - {nsip: 10.0.1.10, name: web, port: 80, virtual_ip: 10.0.2.10, backends: [{address: 10.0.3.20, port: 8080}]}
      - {nsip: 10.0.1.10, name: api, port: 8443, virtual_ip: 10.0.2.10, backends: [{address: 10.0.3.30, port: 80}]}
      - {nsip: 10.0.1.11, name: web, port: 80, virtual_ip: 10.0.2.11, backends: [{address: 10.0.3.20, port: 8080}]}
      - {nsip: 10.0.1.11, name: api, port: 8443, virtual_ip: 10.0.2.11, backends: [{address: 10.0.3.30, port: 80}]}

- name: Remove the application
  cloudadc.aws.vpx_application:
    nsip: 10.0.1.10
    nitro_pass: "{{ vpx_password }}"
    name: web
    state: absent
"""

RETURN = r"""
application:
  description:
    - The application, or the predicted one in check mode. Null if there is none.
    - States are null for objects that do not exist yet.
  returned: success, with O(nsip)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    protocol:
      description: Protocol for clients.
      type: str
      returned: always
    port:
      description: Port at which it answers.
      type: int
      returned: always
    virtual_ip:
      description: Address at which it answers.
      type: str
      returned: always
    ipset:
      description: IPSet on whose addresses it answers too, or null.
      type: str
      returned: always
    state:
      description: State of the virtual server, V(UP), V(DOWN), V(OUT OF SERVICE), ….
      type: str
      returned: always
    backend_protocol:
      description: Protocol between appliance and back ends.
      type: str
      returned: always
    lb_method:
      description: Load-balancing method.
      type: str
      returned: always
    persistence:
      description: C(type), and C(timeout) in minutes.
      type: dict
      returned: always
    process_local:
      description: Whether the node of a cluster at which a connection arrives processes it.
      type: bool
      returned: always
    enabled:
      description: Whether its virtual server is enabled.
      type: bool
      returned: always
    monitors:
      description: Monitors bound to the service group.
      type: list
      elements: str
      returned: always
    certificate:
      description: Name of the certkey bound to the virtual server, or null.
      type: str
      returned: always
    backends:
      description: Members of the service group.
      type: list
      elements: dict
      returned: always
      contains:
        address:
          description: Address, null for one that is known by a domain name.
          type: str
          returned: always
        port:
          description: Port.
          type: int
          returned: always
        weight:
          description: Share of the requests.
          type: int
          returned: always
        state:
          description: V(UP), V(DOWN), V(OUT OF SERVICE), ….
          type: str
          returned: always
        reason:
          description:
            - For one that is V(DOWN), the last response of its monitor and what it is likely to mean; else null. It is
              read for eight back ends at most.
          type: str
          returned: always
    observers:
      description: What O(observers) say of the back ends.
      type: list
      elements: dict
      returned: with O(observers), not in check mode
      contains:
        nsip:
          description: The address as it was given.
          type: str
          returned: always
        backends:
          description: C(address), C(port), C(state) and C(reason) of each, as in C(backends).
          type: list
          elements: dict
          returned: always
  sample:
    name: web
    protocol: HTTP
    port: 80
    virtual_ip: 10.0.2.10
    ipset: clients
    state: UP
    backend_protocol: HTTP
    lb_method: LEASTCONNECTION
    persistence: {type: COOKIEINSERT, timeout: 2}
    process_local: false
    enabled: true
    monitors: [web-mon]
    certificate: null
    backends:
      - {address: 10.0.3.20, port: 8080, weight: 1, state: UP, reason: null}
saved:
  description: Whether the running configuration was saved by this task.
  returned: success, with O(nsip)
  type: bool
  sample: true
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
    application:
      description: As RV(application).
      type: dict
      returned: when it did not fail
    saved:
      description: As RV(saved).
      type: bool
      returned: when it did not fail
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..module_utils.core.errors import Failure
from ..module_utils.core.nitro_errors import NitroInputError
from ..module_utils.core.parallel import attempt_all
from ..module_utils.nitro import application, monitor_states
from ..module_utils.nitro.application_plan import plan_absent, plan_present
from ..module_utils.nitro.application_read import read
from ..module_utils.nitro.certificate_nodes import OtherNodes, spread
from ..module_utils.nitro.certificates import Certificate
from ..module_utils.nitro.client import NitroClient
from ..module_utils.nitro.module import probe_from
from ..module_utils.nitro.objects import Done, converge, run
from ..module_utils.nitro.one_or_many import Job, Needs, one_or_many
from ..module_utils.nitro.steps import Change
from ..module_utils.spec import certificates

# Of a node that may be down; one in the same network answers within milliseconds.
CONNECT_SECONDS = 5.0
NEEDS = Needs(required=("name",), required_if=(("state", "present", ("port",)),))


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    backend = {
        "address": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "weight": {"type": "int"},
    }
    return {
        "name": {"type": "str"},
        "protocol": {"type": "str", "choices": list(application.PROTOCOLS), "default": "HTTP"},
        "port": {"type": "int"},
        "virtual_ip": {"type": "str"},
        "ipset": {"type": "str"},
        "backends": {"type": "list", "elements": "dict", "options": backend},
        "purge_backends": {"type": "bool", "default": True},
        "backend_protocol": {"type": "str", "choices": [p for p in application.PROTOCOLS if p != "QUIC"]},
        "monitor": {"type": "raw"},
        "lb_method": {"type": "str", "choices": list(application.LB_METHODS)},
        "persistence": {"type": "raw"},
        "process_local": {"type": "bool"},
        "enabled": {"type": "bool", "default": False},
        "only_own": {"type": "bool", "default": False},
        "monitor_timeout": {"type": "int", "default": 0},
        "observers": {"type": "list", "elements": "str"},
        "certificate": {
            "type": "dict",
            "options": {
                "certkey": {"type": "str", "no_log": False},
                "name": {"type": "str"},
                "content": {"type": "str"},
                "key": {"type": "str", "no_log": True},
                "passphrase": {"type": "str", "no_log": True},
            },
            "mutually_exclusive": [("certkey", "content"), ("certkey", "name")],
            "required_one_of": [("certkey", "content")],
            "required_together": [("content", "key")],
            "required_by": {"passphrase": ["key"]},
        },
        "certificate_nodes": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def planned(job: Job, desired: application.DesiredApplication, found: application.ObservedApplication) -> list[Change]:
    """Return the writes; refuses missing prerequisites, or in check mode warns of them."""
    if job.params["state"] == "absent":
        if desired.only_own and found.vserver is not None and not application.made_here(desired, found):
            job.warn(f"virtual server '{desired.name}' was not made by this module and is kept")
            return []
        return plan_absent(desired, found)
    for message in application.obstacles(desired, found):
        if not job.check:
            raise NitroInputError(f"{job.nsip}: {message}")
        job.warn(message)
    return plan_present(desired, found)


def compare_certificate(job: Job) -> None:
    """Refuse a certificate, key and chain that do not belong together. Raises NitroInputError."""
    option = job.params["certificate"] if job.params["state"] == "present" else None
    if not option or not option.get("content"):
        return
    verdict = certificates.compare(option["content"], option["key"], option.get("passphrase"), datetime.now(UTC))
    for message in verdict.warnings:
        job.warn(f"application '{job.params['name']}': {message}")
    if verdict.problems:
        raise NitroInputError(f"{job.nsip}: application '{job.params['name']}': {'; '.join(verdict.problems)}")


def spread_certificate(job: Job, client: NitroClient, certificate: Certificate | None) -> bool:
    """See that the other nodes have the certificate, too; True if one of them had to be synchronised."""
    addresses = [one for one in job.params["certificate_nodes"] if one != job.nsip]
    if job.check or not addresses or certificate is None or certificate.content is None:
        return False
    others = OtherNodes(addresses, lambda nsip: probe_from(job.params, nsip, CONNECT_SECONDS), job.warn)
    return spread(client, certificate, others)


def work(job: Job, client: NitroClient) -> Done:
    """Converge one application on one appliance, or predict it in check mode."""
    present = job.params["state"] == "present"
    desired = application.desired_from(job.params)
    compare_certificate(job)
    done = converge(
        job, client, lambda: read(client, desired, present=present), lambda found: planned(job, desired, found)
    )
    repaired = spread_certificate(job, client, desired.certificate)
    before, after = application.describe(desired, done.before), application.describe(desired, done.after)
    if job.check:
        after = application.predict(desired, done.before) if present else before if not done.steps else None
    elif after is not None:
        after |= monitored(job, client, desired.group, done.after.members, after["backends"], changed=bool(done.steps))
    changed = bool(done.steps) or repaired
    return Done(changed, {"application": after}, application.configuration(before), application.configuration(after))


def monitored(
    job: Job,
    client: NitroClient,
    group: str,
    members: Sequence[application.Member],
    backends: list[dict[str, Any]],
    *,
    changed: bool,
) -> dict[str, Any]:
    """Return the results ``backends``, with the reasons of those that are DOWN, and ``observers``."""
    if any(one["state"] == monitor_states.DOWN for one in backends):
        timeout = float(job.params["monitor_timeout"]) if changed else 0.0
        rows = [{"ip": m.address, "port": m.port, "servername": m.server, "svrstate": m.state} for m in members]
        found = monitor_states.states(client, group, timeout, first=rows)
        seen = {(one["address"], one["port"]): one for one in found}
        backends = [
            {**one, **{key: now[key] for key in ("state", "reason")}}
            if (now := seen.get((one["address"], one["port"])))
            else one
            for one in backends
        ]
    observers = job.params["observers"]
    return {"backends": backends, **({} if observers is None else {"observers": observed(job, group, observers)})}


def observed(job: Job, group: str, observers: list[str]) -> list[dict[str, Any]]:
    """Return what further appliances say of the back ends; one that does not answer is left out with a warning."""
    found = []
    outcomes = attempt_all([partial(_states_at, job, group, nsip) for nsip in observers])
    for nsip, outcome in zip(observers, outcomes, strict=True):
        if isinstance(outcome, Failure):
            job.warn(f"{outcome}. What the monitors of {nsip} say of {group} is not known.")
        else:
            found.append({"nsip": nsip, "backends": outcome})
    return found


def _states_at(job: Job, group: str, nsip: str) -> list[monitor_states.Entry]:
    with probe_from({**job.params, "nitro_auth_token": None}, nsip, CONNECT_SECONDS) as client:
        return monitor_states.states(client, group)


def main() -> None:
    module = one_or_many(argument_spec())
    for options in (module.params, *(module.params["nodes"] or [])):
        module.no_log_values |= application.secrets_in(options["monitor"])
    run(module, work, NEEDS)


if __name__ == "__main__":
    main()
