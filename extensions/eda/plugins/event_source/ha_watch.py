# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Event source: what happens to an HA pair of VPX."""

from __future__ import annotations

DOCUMENTATION = r"""
short_description: Events of a VPX pair - a node lost or returned, another primary, an Elastic IP in the wrong place
description:
  - Queries the HA state of both nodes of a pair each O(interval) seconds, and the Elastic IPs in AWS each
    O(aws_interval) seconds and after each event.
  - A lasting change causes one event. A short change causes none, and no event is repeated.
  - One NITRO session per node is kept open. Nothing is written, neither to an appliance nor to AWS, unless O(repair).
  - The timeout of a login is 60 seconds, because an appliance keeps a session open whose answer came too late. After a
    failed login the next one waits 1 to 60 seconds, and at most two logins stay unanswered within the idle timeout of a
    session (300 seconds). Use a separate account for watchers - an appliance limits the sessions of each account, so a
    full account does not lock out operators.
  - Answers of appliances and of AWS are limited to 32 MiB and to a total time. An answer that cannot be parsed counts
    as no answer and is reported once. Expired credentials are reported and retried; those of AWS are looked up again.
  - Needs the rights C(ec2:DescribeInstances) and C(ec2:DescribeAddresses), with O(repair) also
    C(ec2:AssociateAddress), and an account of the appliances that may read (C(hanode), C(lbvserver), C(csvserver),
    C(ipset_nsip_binding)).
  - C(ansible-rulebook) must run with the requirements of this collection - ansible-core, the collection amazon.aws,
    boto3 and requests.
options:
  group:
    description: The pair, as the tag C(cloudadc:group) of its instances names it.
    type: str
    required: true
  elastic_ips:
    description:
      - The Elastic IPs of the pair, as public addresses or allocation ids.
      - By default those that are tagged with O(group) and C(cloudadc:role=client).
    type: list
    elements: str
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
      - A file that holds the password. It is read again when the appliance refuses the password, so that a changed
        password is used. It has precedence over O(nitro_pass).
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
  interval:
    description: Seconds between two queries of a node. While an event is being confirmed it is 0.2.
    type: float
    default: 1.0
  timeout:
    description: Seconds after which a node that has not answered counts as silent. At most 5.
    type: float
    default: 1.0
  aws_interval:
    description: Seconds between two queries of AWS without an event.
    type: float
    default: 30.0
  lost_after:
    description: Seconds of silence after which a node is lost, from the first query without an answer.
    type: float
    default: 1.0
  returned_after:
    description: Seconds that a lost node must answer again to count as returned.
    type: float
    default: 5.0
  astray_after:
    description:
      - Seconds that an Elastic IP must be elsewhere than on the primary. It always is for a moment after a failover.
    type: float
    default: 5.0
  no_primary_after:
    description: Seconds without exactly one primary.
    type: float
    default: 10.0
  repair:
    description:
      - Whether this source puts the Elastic IPs on the primary itself, in its own process, as soon as the primary has
        changed or an Elastic IP is in the wrong place. It does what M(cloudadc.aws.vpx_ha_reconcile) does, by the same
        rules, and tries again after a failure, first after 2 and at last each 60 seconds.
      - It is faster than a playbook, which has to start while clients wait.
      - Several sources may watch one pair, each with O(repair). They make the same moves, and each alone is enough.
    type: bool
    default: false
  store:
    description:
      - Where the lease is kept that lets one of several sources repair at a time; the others look 3 seconds later
        whether there is still something to do. It is a dictionary with C(type) V(file) and C(path), or C(type)
        V(dynamodb) and C(table) (and C(create)), as the modules of autoscaling take it.
      - Without it, and as long as the store cannot be used, each source repairs. Two may then make the same call.
      - It also keeps the events of a week, which M(cloudadc.aws.vpx_status_info) shows.
    type: dict
  alerts:
    description:
      - Where events are published, as a dictionary with C(sns_topic_arn), C(event_bus) or both. Every event of this
        source but V(watching) is; a refused login once an hour while it lasts.
      - It happens in a thread of its own, so that nothing waits for it. A failure is logged and has no other effect.
      - It needs the rights C(sns:Publish) on the topic and C(events:PutEvents) on the bus.
    type: dict
    version_added: 0.2.0
  client_ports:
    description:
      - TCP ports at which clients reach the Elastic IPs. The source connects to each of them each O(interval) seconds.
      - This is a second witness where the primary does not know of its peer that it is DOWN. It counts against a node
        that is silent over the dead interval, where an address on it did answer within the last minute, and does not
        any more over the dead interval. A refused connection is an answer.
    type: list
    elements: int
notes:
  - Every event has RV(type), RV(group), RV(at) (ISO 8601, UTC), RV(primary) (a node, or null), RV(verdict) (a message)
    and RV(nodes) (a list; for each node its reported role, whether it answers, and its error). A node is RV(node_id),
    RV(instance_id) and RV(nsip). No event holds a secret.
  - Every event also has RV(repairs), whether the source repairs itself, and RV(evidence), which
    M(cloudadc.aws.vpx_ha_reconcile) uses, so that it does not wait for the dead interval again.
  - V(node_lost) also has RV(node), RV(reason) and RV(was_primary) - whether it was primary at its last answer. It comes
    before the other node has taken over, so that a repair can start early.
  - V(node_returned) also has RV(node).
  - V(login_refused) also has RV(node) and RV(reason). The node answers and refuses the login, or its certificate is not
    trusted. It comes at once and again each minute while it lasts, and is logged each time.
  - V(primary_changed) also has RV(previous), the node that was primary. It comes as soon as exactly one node reports
    Primary, it is another one than before, and the other node is not primary any more - it reports so, EC2 shows that
    it does not run, or it has not answered for the pair's dead interval (3 seconds) and three queries and the new
    primary reports it DOWN.
  - V(no_primary) comes when for a while no or more than one node was primary, or the primary could not be determined.
  - V(eip_astray) also has RV(elastic_ips), a list of RV(elastic_ip), RV(allocation_id), RV(network_interface_id) and
    RV(private_ip_address) (null - nowhere) and RV(wanted), their desired place. It is repeated when the set of
    addresses changes.
  - V(eip_settled) also has RV(elastic_ips), those that were misplaced. All are on the primary again.
  - V(eip_astray), V(eip_settled) and V(repaired) also have RV(vips), the same for private addresses and routes of the
    pair, as tags C(cloudadc:vip:<name>) of the instances name them. Each has RV(kind), RV(name),
    RV(network_interface_id) and RV(wanted) (in V(repaired) it is as M(cloudadc.aws.vpx_ha_reconcile) returns it).
    O(repair) moves them, too.
  - With O(repair), V(repaired) comes after Elastic IPs were moved, with RV(elastic_ips) as
    M(cloudadc.aws.vpx_ha_reconcile) returns them and RV(duration_ms), and V(repair_failed) with RV(reason) if they
    could not be moved. It is repeated when the reason changes.
  - V(watching) comes once, after the first query of both nodes. Problems at that time (a lost node, a misplaced Elastic
    IP) are reported as if they had just happened.
"""

EXAMPLES = r"""
- name: Watch a pair
  hosts: localhost
  sources:
    - name: The pair shop
      cloudadc.aws.ha_watch:
        group: shop
        region: eu-central-1
        nitro_pass: "{{ nitro_pass }}"
        ca_path: /etc/ssl/certs/vpx-ca.pem
        repair: true
  rules:
    - name: Show the new primary
      condition: event.type == "primary_changed"
      action:
        debug:
          msg: "{{ event.group }}: {{ event.verdict }}"
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
    """Watch until cancelled. Raises a message for invalid arguments."""
    given = _own(f"{_UTILS}.arguments").given_from(args)
    settings = _own(f"{_UTILS}.pair_watch.settings").settings_from(given)

    async def put(event: dict[str, Any]) -> None:
        await queue.put(event)
        await asyncio.sleep(0)  # the queue holds one event: let it be taken before the next one comes

    await _own(f"{_UTILS}.pair_watch.watcher").Watcher(settings, put).run()


if __name__ == "__main__":
    # By hand: ha_watch.py '{"group": "shop"}' prints the events of the pair, with what the environment holds.
    import json

    class _Printer(asyncio.Queue[Any]):
        async def put(self, item: Any) -> None:
            print(json.dumps(item), flush=True)  # noqa: T201 - that is what it is for

    asyncio.run(main(_Printer(), json.loads(sys.argv[1])))
