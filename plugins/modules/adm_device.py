#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: adm_device
version_added: 0.1.0
short_description: Register appliances with NetScaler Console, or deregister them
description:
  - Registers appliances with a NetScaler Console (formerly ADM), on premises or the vendor's service, or deregisters
    them. The console registers several appliances in parallel, and the module waits for all together.
  - A device that is registered with another profile, data centre or agent than given is changed in place. Options that
    are not given are not changed.
  - A device is found by its C(ip_address) or C(mgmt_ip_address) in the console. A missing device counts as
    deregistered.
  - Profile, data centre and agent must exist. They are looked up before anything is written.
  - Calls. A login, one C(GET managed_device) and a logout; one C(GET mps_datacenter) if O(datacenter) is given and one
    C(GET mps_agent) if O(agent) is. If something differs, one C(GET ns_device_profile) if the profile is used; one
    write for each device; for each that is being registered a C(GET activity_status) after 0, 0.5,
    1.5, 3.5 and 6.5 seconds and then every five; and one C(GET managed_device) to read back. A console that lists its
    devices in pages is read page by page. With O(client_id) a token replaces login and logout.
options:
  adm_url:
    description:
      - The console, as C(https://) and its host.
      - For the service, its address with your customer id in the path, C(https://adm.cloud.com/massvc/<customer id>).
    type: str
    required: true
  adm_user:
    description:
      - A user of a console on premises. Exactly one of this and O(client_id) is required.
    type: str
  adm_password:
    description:
      - The password of O(adm_user).
    type: str
  client_id:
    description:
      - An API client of the service. Its token expires; there is no logout.
    type: str
  client_secret:
    description:
      - The secret of O(client_id).
    type: str
  token_url:
    description:
      - Where O(client_id) and O(client_secret) are exchanged for a token.
      - Left out, it is V(https://api-us.cloud.com/cctrustoauth2/root/tokens/clients) for an O(adm_url) in C(cloud.com),
        and the same path on the host of O(adm_url) otherwise.
    type: str
  ip_address:
    description:
      - The management address (NSIP) of one appliance, without a port. The device profile determines the port. Exactly
        one of this and O(ip_addresses) is required.
    type: str
  ip_addresses:
    description:
      - The management addresses of many appliances.
      - An empty list with O(state=present) only checks that the console accepts the credentials and has O(profile),
        O(datacenter) and O(agent), before a playbook launches appliances. With O(state=absent) it does nothing.
    type: list
    elements: str
  profile:
    description:
      - Name of the device profile, which holds the credentials with which the console logs in to the appliance.
      - Required if a device has to be registered.
      - If the profile of a registered device is changed, the console uses it at its next poll. The module does not wait
        for that.
    type: str
  profile_password:
    description:
      - Sets the password of O(profile), for appliances whose password was replaced. A console does not return it, so
        each run with this option writes it. All devices of the profile use it.
      - It is written before devices are registered or changed. Give it only while a password is being replaced.
    type: str
    version_added: 0.2.0
  datacenter:
    description:
      - Name of the data centre (site) of the device, or its id. By default a new device is in the data centre of
        O(agent), or in the one that the console chooses.
    type: str
  agent:
    description:
      - The agent through which the console reaches the device, by its name, which is the agent's address, or its id.
    type: str
  state:
    description:
      - Whether the appliances are registered.
    type: str
    choices: [present, absent]
    default: present
  wait_timeout:
    description:
      - How long to wait, in seconds, for all registrations together. After the timeout a registration continues on the
        console; the next run waits for it.
    type: float
    default: 300
  validate_certs:
    description:
      - Whether the console's certificate must be trusted.
    type: bool
    default: true
  ca_path:
    description:
      - A file of authorities to trust instead of the system's.
    type: path
  timeout:
    description:
      - How long to wait for each answer of the console, in seconds.
    type: float
    default: 30
notes:
  - Deregister an appliance before its instance is terminated. A console keeps the device of a terminated appliance, and
    reports it as down.
  - If one appliance fails, the others are completed. The task fails in the end, and the result has the present devices.
extends_documentation_fragment:
  - cloudadc.aws.event
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_all
seealso:
  - module: cloudadc.aws.vpx_bootstrap
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Register the nodes of a zone with a console on premises
  cloudadc.aws.adm_device:
    adm_url: https://10.0.0.5
    adm_user: automation
    adm_password: "{{ vault_adm_password }}"
    ip_addresses: "{{ nodes.instances | map(attribute='interfaces.management.private_ip_address') }}"
    profile: aws-nodes
    datacenter: eu-central-1

- name: Register one appliance with the service, through an agent in its VPC
  cloudadc.aws.adm_device:
    adm_url: https://adm.cloud.com/massvc/{{ citrix_customer_id }}
    client_id: "{{ vault_citrix_client_id }}"
    client_secret: "{{ vault_citrix_client_secret }}"
    ip_address: 10.0.1.10
    profile: aws-nodes
    agent: 10.0.1.91

- name: Deregister it before its instance is terminated
  cloudadc.aws.adm_device:
    adm_url: https://adm.cloud.com/massvc/{{ citrix_customer_id }}
    client_id: "{{ vault_citrix_client_id }}"
    client_secret: "{{ vault_citrix_client_secret }}"
    ip_address: 10.0.1.10
    state: absent
"""

RETURN = r"""
devices:
  description:
    - The appliances that are registered now, or would be in check mode, in the given order.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The console's id of the device. Null in check mode for one that would be registered.
      type: str
      returned: always
    ip_address:
      description: Its address.
      type: str
      returned: always
    profile:
      description: Name of its device profile.
      type: str
      returned: always
    datacenter_id:
      description: The id of its data centre.
      type: str
      returned: always
    agent_id:
      description: The id of its agent, null without one.
      type: str
      returned: always
    instance_state:
      description: C(Up) if the console reaches it.
      type: str
      returned: always
    version:
      description: Its software, as the console found it.
      type: str
      returned: always
    hostname:
      description: Its host name, as the console found it.
      type: str
      returned: always
  sample:
    - id: 2d4a8a4f-8ee5-4f30-9b57-0c28f01c1d1e
      ip_address: 10.0.1.10
      profile: aws-nodes
      datacenter_id: bcbf82f7-5451-4e48-8261-caec673c18e1
      agent_id: null
      instance_state: Up
      version: "NetScaler NS14.1: Build 21.57.nc"
      hostname: web-a-0
profile_updated:
  description: Whether O(profile_password) was written, or would be in check mode.
  returned: always
  type: bool
registered:
  description: The addresses that this task registered, or would in check mode.
  returned: always
  type: list
  elements: str
  sample: ["10.0.1.10"]
deregistered:
  description: The addresses that this task deregistered, or would in check mode.
  returned: always
  type: list
  elements: str
  sample: []
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.console import devices
from ..module_utils.console.client import Access, ConsoleClient, base_url
from ..module_utils.console.devices import DesiredDevices, Device, Plan
from ..module_utils.console.registration import Timing, carry_out, choose, observation
from ..module_utils.core.nitro_errors import NitroInputError
from ..module_utils.nitro.module import run
from ..module_utils.reconcile.claims import claimed, event_argument_spec


def argument_spec() -> dict[str, dict[str, Any]]:
    return {
        "adm_url": {"type": "str", "required": True},
        "adm_user": {"type": "str"},
        "adm_password": {"type": "str", "no_log": True},
        "client_id": {"type": "str"},
        "client_secret": {"type": "str", "no_log": True},
        "token_url": {"type": "str", "no_log": False},
        "ip_address": {"type": "str"},
        "ip_addresses": {"type": "list", "elements": "str"},
        "profile": {"type": "str"},
        "profile_password": {"type": "str", "no_log": True},
        "datacenter": {"type": "str"},
        "agent": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait_timeout": {"type": "float", "default": 300.0},
        "event": event_argument_spec(),
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout": {"type": "float", "default": 30.0},
    }


def access_from(params: Mapping[str, Any]) -> Access:
    """How to reach the console. Raises NitroInputError."""
    for name in ("timeout", "wait_timeout"):
        if params[name] <= 0:
            raise NitroInputError(f"{name} must be above 0 seconds, not {params[name]:g}")
    return Access(
        url=params["adm_url"],
        user=params["adm_user"],
        password=params["adm_password"],
        client_id=params["client_id"],
        client_secret=params["client_secret"],
        token_url=params["token_url"] or None,
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"] or None,
        timeout=params["timeout"],
    )


def desired_from(params: Mapping[str, Any]) -> DesiredDevices:
    """Return the module's options in canonical form. Raises NitroInputError."""
    return DesiredDevices(
        addresses=devices.addresses_of(params["ip_address"], params["ip_addresses"]),
        profile=params["profile"] or None,
        datacenter=params["datacenter"] or None,
        agent=params["agent"] or None,
        present=params["state"] == "present",
    )


def result_of(
    desired: DesiredDevices, chosen: Plan, before: Mapping[str, Device], after: Mapping[str, Device], *, changed: bool
) -> dict[str, Any]:
    """Return the result of the module: the devices after, and the difference to those before."""
    asked_for = {*chosen.register, *(device.address for device in chosen.remove)}
    return {
        "changed": changed,
        "profile_updated": False,
        "devices": [after[address].result() for address in desired.addresses if address in after],
        "registered": [one for one in desired.addresses if one in asked_for and one in after and one not in before],
        "deregistered": [one for one in desired.addresses if one in asked_for and one in before and one not in after],
        "diff": {
            "before": devices.describe(before, desired.addresses),
            "after": devices.describe(after, desired.addresses),
        },
    }


def work(module: AnsibleModule) -> dict[str, Any]:
    """Apply the changes, or predict them in check mode; return the module's result, with ``msg`` after a failure."""
    access, desired = access_from(module.params), desired_from(module.params)
    name = urlsplit(base_url(access.url)).netloc
    if not desired.addresses and not desired.present:
        return result_of(desired, Plan(), {}, {}, changed=False)
    password = module.params["profile_password"] if desired.present else None
    with ConsoleClient(access) as console:
        if password is None:
            return handle(module, console, name, desired)
        console.hide(password)
        profile = devices.profile_id(desired, console.get(devices.PROFILE), name)
        if not module.check_mode:  # before a registration, which logs in to the appliance with it
            console.update(devices.PROFILE, profile, {"password": password})
        return {**handle(module, console, name, desired), "changed": True, "profile_updated": True}


def handle(module: AnsibleModule, console: ConsoleClient, name: str, desired: DesiredDevices) -> dict[str, Any]:
    """Register, change or deregister the devices, and return the result. ``name``: of the console in messages."""
    before = observation(console, desired)
    chosen, place = choose(console, name, desired, before)
    after = devices.predict(desired, place, chosen, before)
    if module.check_mode or not chosen.changed:
        return result_of(desired, chosen, before, after, changed=chosen.changed)
    progress = carry_out(console, desired, chosen, place, Timing(module.params["wait_timeout"]))
    listed = progress.listed if progress.listed is not None else before
    result = result_of(desired, chosen, before, listed, changed=console.changed)
    # A registration that another run began and this one waited for counts here: it was not there, and is.
    result["changed"] |= bool(result["registered"] or result["deregistered"])
    if progress.trouble:
        result["msg"] = f"{name}: " + "; ".join(message.removeprefix(f"{name}: ") for message in progress.trouble)
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[["ip_address", "ip_addresses"], ["adm_user", "client_id"]],
        required_one_of=[["ip_address", "ip_addresses"], ["adm_user", "client_id"]],
        required_together=[["adm_user", "adm_password"], ["client_id", "client_secret"]],
        supports_check_mode=True,
    )
    with claimed(module):
        run(module, lambda: work(module))


if __name__ == "__main__":
    main()
