#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_upgrade
version_added: 0.2.0
short_description: Upgrade the software of an HA pair in place
description:
  - Brings both nodes of a pair to O(build), one after the other, on their instances. The secondary is first; it becomes
    primary, is watched for O(bake_time), and then the other node follows.
  - The steps are - synchronisation and propagation are switched off on both nodes; the build is installed on the
    secondary (NITRO C(install)), without a reboot; it is rebooted; it becomes primary with the addresses of the pair,
    and is watched; the build is installed on the other node, and it is rebooted; synchronisation and propagation are
    switched on, and the configuration is saved.
  - Before each step both nodes are read again, and what is due follows from their builds, roles and settings. So an
    interrupted task is resumed by running it again, and a task with nothing to do writes nothing.
  - A node is only rebooted while it is secondary and the other one is primary.
  - If the new primary does not serve, the old one takes over again, and the task fails. With O(return_url) the earlier
    build is installed on the new node before, and the pair synchronises again. The vendor documents no way to boot an
    earlier build without its file.
  - With O(issu) the switch is an ISSU migration (C(nsmigration)), which leaves established connections with the old
    primary. The other node is not rebooted before they have ended.
  - Needs the rights C(ec2:DescribeInstances), C(ec2:DescribeAddresses), C(ec2:AssociateAddress), and those of other
    kinds of VIPs.
options:
  build:
    description:
      - The desired build, such as V(14.1-72.61).
    type: str
    required: true
  url:
    description:
      - Where the appliances fetch the file of the build. V(file:///var/nsinstall/...) is a file on each of them. A file
        in S3 is given by a URL that needs no header, such as that of a bucket which lets a VPC endpoint read it.
      - It is not shown, because it may have a password.
    type: str
    required: true
  return_url:
    description:
      - The same for the build that the nodes have now. It is installed again if the new build does not serve.
    type: str
  step:
    description:
      - V(check) only reads, and fails if something stands against the upgrade.
      - V(upgrade) does what is due.
    type: str
    choices: [check, upgrade]
    default: upgrade
  issu:
    description:
      - Whether the switch is an ISSU migration. V(auto) switches without one, and warns, where it is not possible;
        V(require) fails there before anything is changed.
      - It needs release 13.0, a SYNC VLAN on both nodes, and VIPs of kind V(route). Packets of GRE (IP protocol 47)
        must get from node to node; this is not checked.
    type: str
    choices: [never, auto, require]
    default: never
  allow_downgrade:
    description:
      - Whether O(build) may be older than a build of the nodes.
    type: bool
    default: false
  allow_vulnerable:
    description:
      - Whether O(build) may have known vulnerabilities.
    type: bool
    default: false
  install_timeout:
    description:
      - Seconds for one installation, with the download of the file.
    type: int
    default: 1800
  boot_timeout:
    description:
      - Seconds for a node to come back from a reboot, also one of an interrupted task.
    type: int
    default: 900
  migration_timeout:
    description:
      - Seconds to wait for established connections to end, with O(issu).
    type: int
    default: 3600
extends_documentation_fragment:
  - cloudadc.aws.pair
  - cloudadc.aws.pair.trial
  - cloudadc.aws.nitro.session_and_aws
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws_and_nitro
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - The configuration is saved whatever O(save_config) says, because each node is rebooted.
seealso:
  - module: cloudadc.aws.vpx_ha_trial
  - module: cloudadc.aws.vpx_backup
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Upgrade a pair in place
  cloudadc.aws.vpx_upgrade:
    group: shop
    build: 14.1-72.61
    url: https://builds.example.com/build-14.1-72.61_nc_64.tgz
    return_url: https://builds.example.com/build-14.1-66.59_nc_64.tgz
    nitro_pass: "{{ vault_nsroot_password }}"
"""

RETURN = r"""
steps:
  description: The steps that were due when the task began, one line each.
  returned: success
  type: list
  elements: str
  sample: ["install 14.1-72.61 on node 1 (i-0123456789abcdef0)"]
done:
  description: The steps that were carried out, one line each.
  returned: success, and failures after a step
  type: list
  elements: str
nodes:
  description: The nodes when the task ended.
  returned: success
  type: list
  elements: dict
  contains:
    node_id: {type: int, description: "Its node id.", sample: 0}
    instance_id: {type: str, description: "Its instance.", sample: i-0123456789abcdef0}
    build: {type: str, description: "The build that it runs.", sample: 14.1-72.61}
    primary: {type: bool, description: "Whether it is primary.", sample: true}
verdict:
  description: The primary when the task ended, and the role that each node reported.
  returned: success
  type: str
  sample: "node 1 is primary: node 0 (10.0.1.10) says Secondary; node 1 (10.0.11.10) says Primary"
"""

from typing import Any

from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import BRIEF, connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.nitro.module import client_from, nitro_argument_spec, probe_from, require_requests, require_usable
from ..module_utils.reconcile.pair_options import pair_argument_spec, trial_argument_spec
from ..module_utils.reconcile.upgrade_in_place import InPlaceUpgrade, UpgradeRequest
from ..module_utils.reconcile.upgrade_plan import Target
from ..module_utils.reconcile.upgrade_reading import UpgradeReader, UpgradeReading
from ..module_utils.spec.builds import parse_build
from ..module_utils.spec.upgrade import ISSU, NEVER, url_problem

#: Options that the request has under the same name.
_TIMES = ("bake_time", "serve_timeout", "install_timeout", "boot_timeout", "migration_timeout")
_FLAGS = ("ignore_missing", "ignore_guard")


def argument_spec() -> dict[str, Any]:
    return {
        **nitro_argument_spec(nsip=False),
        **pair_argument_spec(),
        "build": {"type": "str", "required": True},
        "url": {"type": "str", "required": True, "no_log": True},
        "return_url": {"type": "str", "no_log": True},
        "step": {"type": "str", "choices": ["check", "upgrade"], "default": "upgrade"},
        "issu": {"type": "str", "choices": list(ISSU), "default": NEVER},
        "allow_downgrade": {"type": "bool", "default": False},
        "allow_vulnerable": {"type": "bool", "default": False},
        **trial_argument_spec(),
        "install_timeout": {"type": "int", "default": 1800},
        "boot_timeout": {"type": "int", "default": 900},
        "migration_timeout": {"type": "int", "default": 3600},
    }


def request_of(params: dict[str, Any]) -> UpgradeRequest:
    """Return what the options ask for. Raises Refusal for values that mean nothing."""
    build = parse_build(params["build"])
    if build is None:
        raise Refusal(f"build must be a build such as 14.1-72.61, not {params['build']!r}")
    for name in ("url", "return_url"):
        if params[name] and (problem := url_problem(params[name])):
            raise Refusal(f"{name} {problem}")
    return UpgradeRequest(
        group=params["group"],
        target=Target(build, params["allow_downgrade"], params["allow_vulnerable"]),
        url=params["url"],
        return_url=params["return_url"] or "",
        issu=params["issu"],
        switch_timeout=params["timeout"],
        **{name: params[name] for name in (*_TIMES, *_FLAGS)},
    )


def upgrade_of(module: Any) -> InPlaceUpgrade:
    """Return the upgrade that the options ask for. Nothing was sent yet."""
    params = module.params
    require_usable(params)
    request = request_of(params)
    # validate_certs is about the appliances here; AWS's certificates are always validated.
    options = {"read_timeout": BRIEF, "attempts": 1, "verify": params["aws_ca_bundle"] or True}
    ec2 = connect_accounts(module, connect(module, "ec2", **options), **options)
    reader = UpgradeReader(
        params=params,
        ec2=ec2,
        connect=lambda nsip: client_from(params, nsip=nsip),
        probe=lambda nsip: probe_from(params, nsip, params["probe_timeout"]),
        boot_timeout=params["boot_timeout"],
    )
    return InPlaceUpgrade(request, reader, module.warn)


def work(module: Any, done: list[str]) -> dict[str, Any]:
    """Return the module's result; ``done`` takes the steps as they are carried out. Raises Failure."""
    require_requests(module)
    upgrade = upgrade_of(module)
    upgrade.done = done
    try:
        return result(module, upgrade)
    finally:
        upgrade.reader.close()


def result(module: Any, upgrade: InPlaceUpgrade) -> dict[str, Any]:
    """Read, do what is due, and return the module's result. Raises Failure."""
    before = upgrade.reader.read()
    if found := upgrade.check(before):
        raise Refusal(f"{module.params['group']}: {' '.join(found)} Nothing was changed.")
    steps = upgrade.outline(before)
    predicts = module.check_mode or module.params["step"] == "check"
    after = before if predicts or not steps else upgrade.run()
    changed = bool(steps) and module.params["step"] != "check"
    return {
        "changed": changed,
        "steps": steps,
        "done": upgrade.done,
        "nodes": _nodes(after),
        "verdict": after.state.verdict.message,
        "diff": _diff(before, after if not predicts else None, module.params["build"], changed),
    }


def _nodes(reading: UpgradeReading) -> list[dict[str, Any]]:
    return [
        {
            "node_id": node.node_id,
            "instance_id": node.instance_id,
            "build": str(node.build),
            "primary": number == reading.state.verdict.primary,
        }
        for number, node in enumerate(reading.state.nodes)
    ]


def _diff(before: UpgradeReading, after: UpgradeReading | None, build: str, changed: bool) -> dict[str, Any]:
    builds = {node.instance_id: str(node.build) for node in before.state.nodes}
    predicted = dict.fromkeys(builds, build) if changed else builds
    now = {node.instance_id: str(node.build) for node in after.state.nodes} if after else predicted
    return {"before": {"builds": builds}, "after": {"builds": now}}


def main() -> None:
    done: list[str] = []
    run(argument_spec(), lambda module: work(module, done), done=lambda: {"done": done})


if __name__ == "__main__":
    main()
