#!/usr/bin/python
# -*- coding: utf-8 -*-

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpx_status_report
version_added: 0.2.0
short_description: Write a page about the state of pairs and autoscale groups
description:
  - Writes what M(cloudadc.aws.vpx_status_info) returned as one HTML page, which needs no network and no second file.
    Of a pair it shows HA state, Elastic IPs with their associations, and the latest events and moves; of a group its
    zones, nodes and events.
  - The curves of a group are on the page of M(cloudadc.aws.autoscale_report).
options:
  path:
    description: The page to write. Its folder must exist.
    type: path
    required: true
  status:
    description: The return value C(status) of M(cloudadc.aws.vpx_status_info).
    type: dict
    required: true
  title:
    description: Title of the page. By default the name of the pair or group, or of the region.
    type: str
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    support: none
    description: The page is not shown as a difference.
seealso:
  - module: cloudadc.aws.vpx_status_info
  - module: cloudadc.aws.autoscale_report
author:
  - The cloudadc.aws contributors (@cloudadc)
"""

EXAMPLES = r"""
- name: Read the state of a pair
  cloudadc.aws.vpx_status_info:
    pairs: [edge]
    region: eu-central-1
    nitro_pass: "{{ vpx_password }}"
  register: edge

- name: Write its page
  cloudadc.aws.vpx_status_report:
    path: /srv/www/edge.html
    status: "{{ edge.status }}"
"""

RETURN = r"""
page:
  description: The page.
  returned: always
  type: str
size:
  description: Its length in bytes.
  returned: always
  type: int
panels:
  description: The pairs and groups that it shows.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the pair or group.
      type: str
    problems:
      description: Number of its problems.
      type: int
    events:
      description: Number of its events that are shown.
      type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.core import boundary
from ..module_utils.core.errors import Failure
from ..module_utils.report.output import differs, put
from ..module_utils.report.status_page import status_page

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "status": {"type": "dict", "required": True},
    "title": {"type": "str"},
}


def events_in(entry: dict[str, Any]) -> int:
    """Return how many events of a pair or group the page shows."""
    return len(entry.get("events", [])) + sum(len(zone["events"]) for zone in entry.get("zones", []))


def work(module: Any) -> dict[str, Any]:
    """Write the page if it is not as it should be. Raises Failure."""
    params, status = module.params, module.params["status"]
    try:
        content = status_page(status, params["title"] or "").encode()
        panels = [
            {"name": each["name"], "problems": len(each["problems"]), "events": events_in(each)}
            for each in (*status["pairs"], *status["groups"])
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise Failure(
            f"status is not what vpx_status_info returns ({type(error).__name__}: {error}); give its status"
        ) from None
    changed = differs(params["path"], content)
    if changed and not module.check_mode:
        put(params["path"], content)
    return {"changed": changed, "page": params["path"], "size": len(content), "panels": panels}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    boundary.end(module, lambda: work(module))


if __name__ == "__main__":
    main()
