#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_alarms
version_added: 0.2.0
short_description: Manage CloudWatch alarms and a dashboard of an autoscale group
description:
  - Creates, updates and deletes the alarms of a group and its dashboard, from the figures that its ticks publish
    (O(cloudadc.aws.autoscale_tick#module:publish)) and from its policy.
  - For each zone there is an alarm when no tick has published figures for longer than the longest phase (C(no-ticks)),
    when nodes in service do not report (C(silent-nodes)), when the zone has its maximum of nodes (C(at-maximum)), and
    when a metric stays above its maximum although scaling out had time (C(<metric>-high)).
  - The names of alarms begin with C(cloudadc-<group>-), the dashboard is C(cloudadc-<group>). An alarm with such a name
    that is not defined any more, for instance of a zone that was removed, is deleted.
options:
  group:
    description: Name of the autoscale group.
    type: str
    required: true
  zones:
    description: Names of its zones.
    type: list
    elements: str
    default: []
  policy:
    description: The group's policy, as for M(cloudadc.aws.autoscale_evaluate). Required unless O(state=absent).
    type: dict
  alarm_actions:
    description: What an alarm calls when it begins and when it ends, such as ARNs of SNS topics.
    type: list
    elements: str
    default: []
  dashboard:
    description: Whether there is a dashboard.
    type: bool
    default: true
  state:
    description: Whether alarms and dashboard exist.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.autoscale_tick
  - module: cloudadc.aws.autoscale_report
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Create alarms and dashboard
  cloudadc.aws.autoscale_alarms:
    group: shop
    zones: [eu-central-1a, eu-central-1b]
    policy: "{{ autoscale_group_policy }}"
    alarm_actions:
      - arn:aws:sns:eu-central-1:123456789012:operations
    region: eu-central-1
"""

RETURN = r"""
alarms:
  description: Names of the alarms that exist now, or would in check mode.
  returned: always
  type: list
  elements: str
  sample: [cloudadc-shop-eu-central-1a-no-ticks]
written:
  description: Names of those that were created or changed.
  returned: always
  type: list
  elements: str
deleted:
  description: Names of those that were deleted.
  returned: always
  type: list
  elements: str
dashboard:
  description: Name of the dashboard; empty if there is none.
  returned: always
  type: str
  sample: cloudadc-shop
"""

from functools import partial
from typing import Any

from ..module_utils.aws import cloudwatch as api
from ..module_utils.aws.client import Client, connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Refusal
from ..module_utils.core.parallel import both, gather
from ..module_utils.reconcile import alarm_plan as plan

#: Alarms in one DeleteAlarms (CloudWatch API reference, DeleteAlarms).
MOST = 100

ARGUMENT_SPEC: dict[str, Any] = {
    "group": {"type": "str", "required": True},
    "zones": {"type": "list", "elements": "str", "default": []},
    "policy": {"type": "dict"},
    "alarm_actions": {"type": "list", "elements": "str", "default": []},
    "dashboard": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def desired(params: dict[str, Any], region: str) -> tuple[list[plan.Alarm], str | None]:
    """Return the alarms and the body of the dashboard that should exist. Raises Failure."""
    if params["state"] == "absent":
        return [], None
    if not params["zones"]:
        raise Refusal(f"{params['group']}: zones is empty: name the zones of the group")
    group, zones, policy = params["group"], params["zones"], plan.policy_of(params["policy"])
    alarms = plan.alarms_of(group, zones, policy, params["alarm_actions"])
    return alarms, plan.body_of(group, zones, policy, region) if params["dashboard"] else None


def apply(client: Client, write: list[plan.Alarm], delete: list[str]) -> None:
    """Write and delete alarms."""
    gather([partial(api.put_metric_alarm, client, alarm["AlarmName"], alarm) for alarm in write])
    for first in range(0, len(delete), MOST):
        api.delete_alarms(client, delete[first : first + MOST])


def work(module: Any) -> dict[str, Any]:
    """Converge alarms and dashboard. Raises Failure."""
    group, client = module.params["group"], connect(module, "cloudwatch")
    alarms, body = desired(module.params, client.meta.region_name)
    name = plan.dashboard_of(group)
    present, known = both(
        lambda: api.describe_alarms(client, plan.prefix_of(group)), lambda: api.get_dashboard(client, name)
    )
    write, delete = plan.differing(alarms, present)
    redraw = body is not None and not (known is not None and plan.same_body(body, known))
    remove = body is None and known is not None
    if not module.check_mode:
        apply(client, write, delete)
        if body is not None and redraw:
            api.put_dashboard(client, name, body)
        if remove:
            api.delete_dashboard(client, name)
    written = {alarm["AlarmName"]: plan.comparable(alarm) for alarm in write}
    before = {each["AlarmName"]: plan.comparable(each) for each in present if each["AlarmName"] in {*written, *delete}}
    return {
        "changed": bool(write or delete or redraw or remove),
        "alarms": sorted(alarm["AlarmName"] for alarm in alarms),
        "written": sorted(written),
        "deleted": delete,
        "dashboard": name if body is not None else "",
        "diff": {
            "before": {"alarms": before, **({"dashboard": known} if redraw or remove else {})},
            "after": {"alarms": written, **({"dashboard": body} if redraw or remove else {})},
        },
    }


def main() -> None:
    run(ARGUMENT_SPEC, work)


if __name__ == "__main__":
    main()
