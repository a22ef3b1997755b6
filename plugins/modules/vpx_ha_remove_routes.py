#!/usr/bin/python
# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_ha_remove_routes
version_added: 0.2.0
short_description: Remove the routes that lead to an HA pair
description:
  - Removes the routes of VIPs of kind C(route) before the instances of a pair are terminated. Without their interfaces
    the routes would stay as blackholes, which drop every packet to these addresses.
  - The pair's instances name the VIPs in tags (C(cloudadc:vip:<name>)). Only routes to these addresses, in these route
    tables, that lead to an interface of these instances are removed. A route that leads elsewhere stays.
  - The route tables are read again before the first write.
  - Calls. One C(DescribeInstances). With routes one C(DescribeRouteTables) for each role and selection of tables, which
    is repeated if something is to be removed, and one C(DeleteRoute) for each route.
  - Needs the right C(ec2:DescribeInstances), and with routes C(ec2:DescribeRouteTables) and C(ec2:DeleteRoute).
options:
  group:
    description:
      - The pair, the value of the tag C(cloudadc:group) of its instances.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_aws
seealso:
  - module: cloudadc.aws.vpx_address_failover
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Remove the routes to the pair
  cloudadc.aws.vpx_ha_remove_routes:
    group: edge
"""

RETURN = r"""
routes:
  description: The routes that were removed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    route_table_id:
      description: The route table.
      type: str
      sample: rtb-0aaaaaaaaaaaaaaaa
    destination:
      description: The destination.
      type: str
      sample: 10.99.0.10/32
    network_interface_id:
      description: The interface of the pair to which it led.
      type: str
      sample: eni-0aaaaaaaaaaaaaaaa
"""

from typing import Any

from ..module_utils.attachments.route import read_tables
from ..module_utils.attachments.route_removal import removals, remove
from ..module_utils.aws import ec2 as api
from ..module_utils.aws import tags as t
from ..module_utils.aws.accounts import connect_accounts
from ..module_utils.aws.client import connect
from ..module_utils.aws.instances import parse_instances
from ..module_utils.aws.module import run
from ..module_utils.core.errors import Failure
from ..module_utils.reconcile.pair_routes import routes_of_pair

ADVICE = (
    "No instance was terminated. Grant the right, or remove the routes by hand and the tags cloudadc:vip:<name> of the "
    "instances with them, and repeat this"
)


def work(module: Any) -> dict[str, Any]:
    """Return the result. Raises Failure."""
    client, group = connect_accounts(module, connect(module, "ec2")), module.params["group"]
    instances = parse_instances(api.describe_instances(client, t.as_filters({t.GROUP: group})))
    known = routes_of_pair(group, instances)
    planned = removals(known.requests, read_tables(client, known.requests), known.owners)
    if not module.check_mode:
        trouble = remove(client, known.requests, known.owners, planned)
        if trouble:
            raise Failure(f"{group}: {trouble}. {ADVICE}")
    routes = [one.result() for one in planned]
    before = {f"{one.route_table_id} {one.destination}": one.network_interface_id for one in planned}
    return {"changed": bool(routes), "routes": routes, "diff": {"before": before, "after": {}}}


def main() -> None:
    run({"group": {"type": "str", "required": True}}, work)


if __name__ == "__main__":
    main()
