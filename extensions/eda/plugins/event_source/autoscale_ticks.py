# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Event source: what an autoscale group has to do."""

from __future__ import annotations

DOCUMENTATION = r"""
short_description: Events of autoscale groups - a zone has to scale out, to scale in, or to remove drained nodes
description:
  - Runs a tick of every zone of one or many groups each O(policy.interval), as M(cloudadc.aws.autoscale_tick) does, in
    this process - lease, group state, load of the nodes, decision. A tick with the decision V(none) creates no event.
  - Zones are spread over the interval. A zone that is late or fails does not delay other zones.
  - It opens one session with each appliance and keeps it; an idle tick is one query per node.
  - It launches and removes nothing. It writes the group state in the O(store) that the playbooks use, too, so ticks of
    this source and of playbooks share one group state.
  - Needs the right C(ec2:DescribeInstances), those of the store if it is in DynamoDB, and an account of the appliances
    that may read C(stat/ns).
  - C(ansible-rulebook) must run with the requirements of this collection - ansible-core, the collection amazon.aws,
    boto3 and requests.
options:
  group:
    description: The group, the value of the tag C(cloudadc:group) of its instances. Required without O(groups).
    type: str
  groups:
    description:
      - Many groups in one process. Each entry may have O(group), O(zones), O(policy), O(distributor), O(store) and
        O(withdraw_after); the arguments of these names are the defaults.
      - All groups share the account of the appliances and the access to AWS.
    type: list
    elements: dict
    version_added: 0.2.0
  zones:
    description:
      - Its zones, by name, or in the form of O(cloudadc.aws.autoscale_group#role:main:autoscale_group_zones). Required,
        here or in each entry of O(groups).
    type: list
    elements: raw
  policy:
    description: As O(cloudadc.aws.autoscale_evaluate#module:policy). Needed, here or in each entry of O(groups).
    type: dict
  distributor:
    description: For a policy that does not name one.
    type: str
    choices: [nlb, dns]
  store:
    description: As O(cloudadc.aws.autoscale_evaluate#module:store). Needed, here or in each entry of O(groups).
    type: dict
  lease_seconds:
    description: Seconds without a renewal of the claim after which an open event is reported again.
    type: float
    default: 300.0
  samples_hours:
    description: Hours for which samples are kept, as O(cloudadc.aws.autoscale_tick#module:samples_hours).
    type: float
    default: 24.0
    version_added: 0.2.0
  alerts:
    description: Where decisions, silent nodes, refused logins and failed ticks are published, as
      O(cloudadc.aws.autoscale_tick#module:alerts). Failed events are reported by the playbook that executes them.
    type: dict
    version_added: 0.2.0
  withdraw_after:
    description:
      - After how many ticks in a row in which a node does not answer while others do an event V(dns_records) asks for
        the withdrawal of its DNS records, as O(cloudadc.aws.autoscale_tick#module:withdraw_after). Here or in each
        entry of O(groups). V(0) for never. Without effect for groups of distributor V(nlb).
    type: int
    default: 0
    version_added: 0.2.0
  timeout:
    description: Seconds to wait for each answer of a node. At most 60.
    type: float
    default: 10.0
  nitro_user:
    description: The account of the appliances. Taken from E(NETSCALER_NITRO_USER) when not given.
    type: str
    default: nsroot
  nitro_pass:
    description:
      - Its password. Taken from E(NETSCALER_NITRO_PASS) when not given.
      - ansible-rulebook converts a template that looks like a number into one. Put such a password into the
        environment.
      - One of this, its variable and O(nitro_pass_file) is required.
    type: str
  nitro_pass_file:
    description:
      - A file that holds the password. It is read again when an appliance refuses the password, so that ticking
        survives a password that is changed. It goes before O(nitro_pass).
    type: path
  nitro_protocol:
    description: Taken from E(NETSCALER_NITRO_PROTOCOL) when not given.
    type: str
    choices: [http, https]
    default: https
  nitro_port:
    description: Port of NITRO. By default that of O(nitro_protocol).
    type: int
  validate_certs:
    description:
      - Whether the appliances' certificates must verify. Taken from E(NETSCALER_VALIDATE_CERTS) when not given.
    type: bool
    default: true
  management_tls:
    description:
      - V(pin) holds each node to the certificate that was pinned at the first contact, by the fingerprint in the tag
        C(cloudadc:management_fingerprint) of its instance, instead of verifying it by authorities.
      - Taken from E(NETSCALER_MANAGEMENT_TLS) when not given.
    type: str
    choices: [verify, pin]
    default: verify
  ca_path:
    description: A file of authorities to trust. Taken from E(NETSCALER_CA_PATH) when not given.
    type: path
  region:
    description: Taken from E(AWS_REGION) or E(AWS_DEFAULT_REGION) when not given.
    type: str
  profile:
    description: A profile of the AWS configuration files.
    type: str
  endpoint_url:
    description: Another address of the EC2 API. boto3 also takes it from E(AWS_ENDPOINT_URL).
    type: str
  access_key:
    description: By default as boto3 finds it - environment, configuration files, or the role of the machine.
    type: str
  secret_key:
    description: By default as boto3 finds it.
    type: str
  session_token:
    description: By default as boto3 finds it.
    type: str
  aws_ca_bundle:
    description: A file of authorities to trust for AWS.
    type: path
notes:
  - Every event has RV(type) (V(scale_out), V(scale_in) or V(deprovision)), RV(group), RV(zone), RV(at) (ISO 8601, UTC),
    RV(count) (nodes to add or remove), RV(reason) (a message with the figures), RV(event_id), RV(owner), RV(resumed),
    RV(phase) and RV(phase_until). No event holds a secret.
  - V(dns_records) is another type, with RV(group), RV(zone), RV(at), RV(owner), RV(reason), RV(silent) and
    RV(recovered) (instance ids). The records of the silent nodes are to be withdrawn, those of the recovered ones to be
    written again; the playbook C(cloudadc.aws.autoscale) does both. It comes when these nodes change, and again after
    300 seconds for as long as there are any.
  - V(login_refused) is another type, with RV(group), RV(zone), RV(at) and RV(reason). Nodes of the zone answer and
    refuse the login, or their certificate is not trusted. It comes at once and again each minute while it lasts, and
    is logged.
  - The executor runs a tick with the RV(owner) of the event and gets the same action with the same RV(event_id); the
    playbook C(cloudadc.aws.autoscale) does that. While the executor renews the claim, no tick reports the event again;
    after O(lease_seconds) without a renewal, a tick does, with RV(resumed) true.
  - Errors of a tick (AWS or the store do not answer, a node refuses) are logged once and retried with the next tick.
"""

EXAMPLES = r"""
- name: Scale the group shop
  hosts: localhost
  sources:
    - name: The group shop
      cloudadc.aws.autoscale_ticks:
        group: shop
        zones: [eu-central-1a, eu-central-1b]
        region: eu-central-1
        nitro_pass: "{{ nitro_pass }}"
        policy:
          metrics:
            cpu: {min: 20, max: 80}
          watch_time: 3
          cooldown: 10
          drain_timeout: 10
          distributor: nlb
          min_nodes: 2
          max_nodes: 6
        store:
          type: dynamodb
          table: cloudadc-autoscale
  rules:
    - name: Show the decision
      condition: event.type == "scale_out"
      action:
        debug:
          msg: "{{ event.group }} {{ event.zone }}: {{ event.reason }}"
"""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

_UTILS = "ansible_collections.cloudadc.aws.plugins.plugin_utils"


def _own(module: str) -> Any:
    """Import a module of this collection.

    ansible-rulebook starts this file by its path and knows nothing of Ansible's collections, so Ansible's own loader is
    asked for, as the Python API of ansible-core documents it. It looks in the collections path, and first where this
    file is installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
    from ansible.plugins.loader import init_plugin_loader

    # A part of the name may have been found elsewhere, in site-packages for example: it would hide the rest.
    for name in [name for name in sys.modules if name.split(".")[0] == "ansible_collections"]:
        del sys.modules[name]
    tree = [str(folder.parent) for folder in Path(__file__).absolute().parents if folder.name == "ansible_collections"]
    init_plugin_loader(tree[:1])
    return importlib.import_module(module)


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Tick until cancelled. Raises a message for invalid arguments."""
    given = _own(f"{_UTILS}.arguments").given_from(args)
    settings = _own(f"{_UTILS}.zone_ticks.settings").settings_from(given)

    async def put(event: dict[str, Any]) -> None:
        await queue.put(event)
        await asyncio.sleep(0)  # the queue holds one event: let it be taken before the next one comes

    await _own(f"{_UTILS}.zone_ticks.ticker").Ticker(settings, put).run()


if __name__ == "__main__":
    # By hand: autoscale_ticks.py '{"group": "shop", …}' prints the events of the group.
    import json

    class _Printer(asyncio.Queue[Any]):
        async def put(self, item: Any) -> None:
            print(json.dumps(item), flush=True)  # noqa: T201 - that is what it is for

    asyncio.run(main(_Printer(), json.loads(sys.argv[1])))
