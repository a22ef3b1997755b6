#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: autoscale_forget
version_added: 0.1.0
short_description: Delete the stored state of a removed autoscale group
description:
  - Deletes the state that M(cloudadc.aws.autoscale_evaluate) stores for a group, including its history. A later group
    of the same name begins with an empty state.
  - It takes no lease. Delete only the state of a group without nodes.
  - Calls. With a DynamoDB store, one C(Query), and one C(DeleteItem) per zone.
options:
  group:
    description: Name of the autoscale group.
    type: str
    required: true
  zones:
    description: Availability zones. By default all zones of the group in the store.
    type: list
    elements: str
  store:
    description: Store of the group state.
    type: dict
    required: true
    suboptions:
      type:
        description: V(file) needs neither boto3 nor credentials nor a region.
        type: str
        choices: [file, dynamodb]
        default: file
      path:
        description: For V(file), the file or the folder of them.
        type: path
      table:
        description: For V(dynamodb), the name of the table.
        type: str
      create:
        description: Accepted for a common variable of all modules; a missing table is read as empty.
        type: bool
        default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
seealso:
  - module: cloudadc.aws.autoscale_info
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Delete the state of the group
  cloudadc.aws.autoscale_forget:
    group: shop
    store:
      type: dynamodb
      table: cloudadc-autoscale
"""

RETURN = r"""
zones:
  description: The zones whose state was deleted, or in check mode would be.
  returned: success
  type: list
  elements: str
  sample: [eu-central-1a]
"""

from typing import Any

from ..module_utils.aws.module import run
from ..module_utils.stores.options import CREATE, open_store, store_argument_spec, stored_keys

ARGUMENT_SPEC: dict[str, Any] = {
    "group": {"type": "str", "required": True},
    "zones": {"type": "list", "elements": "str"},
    "store": store_argument_spec(create=CREATE),
}


def work(module: Any) -> dict[str, Any]:
    """Delete the state of every zone that has any and is named."""
    group, named = module.params["group"], module.params["zones"]
    there = [key.zone for key in stored_keys(module, group)]
    zones = [zone for zone in there if named is None or zone in named]
    for zone in zones:
        if not module.check_mode:
            open_store(module, group, zone).remove()
    diff = {"before": {"records": there}, "after": {"records": [zone for zone in there if zone not in zones]}}
    return {"changed": bool(zones), "zones": zones, "diff": diff}


def main() -> None:
    run(ARGUMENT_SPEC, work, name=lambda params: str(params["group"]), check_boto3=False)


if __name__ == "__main__":
    main()
