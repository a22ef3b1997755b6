#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_alert
version_added: 0.2.0
short_description: Publish the problems of pairs and autoscale groups to SNS and EventBridge
description:
  - Publishes each problem that M(cloudadc.aws.vpx_status_info) returned, such as an Elastic IP that is not on the
    primary, a node that runs and does not answer, or a licence in its grace period, as one message.
  - Every call publishes what is a problem then, so that a schedule decides how often a lasting problem is published.
  - Ticks and the event sources publish by themselves (O(cloudadc.aws.autoscale_tick#module:alerts)).
options:
  status:
    description: The return value C(status) of M(cloudadc.aws.vpx_status_info).
    type: dict
    required: true
  sns_topic_arn:
    description: ARN of an SNS topic. It needs the right C(sns:Publish).
    type: str
  event_bus:
    description: Name or ARN of an EventBridge bus, V(default) for the account's own. It needs the right
      C(events:PutEvents).
    type: str
notes:
  - A message is JSON with C(type) (V(problem)), C(kind), C(name), C(time), C(summary) and C(detail). On the bus its
    source is C(cloudadc.aws) and its detail-type is the type.
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: none
    description: A published message replaces nothing.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
seealso:
  - module: cloudadc.aws.vpx_status_info
  - module: cloudadc.aws.autoscale_tick
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Read the state of all pairs and groups
  cloudadc.aws.vpx_status_info:
    region: eu-central-1
    nitro_pass: "{{ vpx_password }}"
  register: fleet

- name: Publish the problems
  cloudadc.aws.vpx_alert:
    status: "{{ fleet.status }}"
    sns_topic_arn: arn:aws:sns:eu-central-1:123456789012:operations
    region: eu-central-1
"""

RETURN = r"""
alerts:
  description: What was published, or would be in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    type:
      description: V(problem).
      type: str
    kind:
      description: V(pair) or V(group).
      type: str
    name:
      description: Name of the pair or group.
      type: str
    time:
      description: When it was read, ISO 8601.
      type: str
    summary:
      description: The problem.
      type: str
      sample: node 1 (i-0123456789abcdef0) is stopped
    detail:
      description: Account and region.
      type: dict
"""

from collections.abc import Mapping
from typing import Any

from ..module_utils.aws.client import connect
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Failure
from ..module_utils.reconcile.alerting import send
from ..module_utils.spec.alerts import Alert, Targets
from ..module_utils.spec.times import as_instant

#: Seconds until the calls must be over: here they are the task itself.
TIMEOUT = 60.0

ARGUMENT_SPEC: dict[str, Any] = {
    "status": {"type": "dict", "required": True},
    "sns_topic_arn": {"type": "str"},
    "event_bus": {"type": "str"},
}


def alerts_of(status: Mapping[str, Any]) -> list[Alert]:
    """Return an alert for each problem. Raises Failure if this is no status."""
    try:
        at, entries = as_instant(status["at"]), [*status["pairs"], *status["groups"]]
        detail = {"account": status["account"], "region": status["region"]}
        return [
            Alert("problem", each["kind"], each["name"], problem, at, detail=detail)
            for each in entries
            for problem in each["problems"]
        ]
    except (KeyError, TypeError) as error:
        raise Failure(
            f"status is not what vpx_status_info returns ({type(error).__name__}: {error}); give its status"
        ) from None


def work(module: Any) -> dict[str, Any]:
    """Publish the problems. Raises Failure if one of them is not published."""
    targets = Targets.from_option({name: module.params[name] for name in ("sns_topic_arn", "event_bus")}, "vpx_alert")
    alerts = alerts_of(module.params["status"])
    services = [name for name, there in (("sns", targets.sns_topic_arn), ("events", targets.event_bus)) if there]
    clients = {service: connect(module, service, read_timeout=10) for service in services}
    if not module.check_mode:
        warnings = send(alerts, targets, clients.__getitem__, timeout=TIMEOUT)
        if warnings:
            raise Failure("; ".join(warnings))
    return {"changed": bool(alerts), "alerts": [alert.to_json() for alert in alerts]}


def main() -> None:
    run(ARGUMENT_SPEC, work, required_one_of=[("sns_topic_arn", "event_bus")])


if __name__ == "__main__":
    main()
