#!/usr/bin/python

# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: vpx_license_return
short_description: Return the licensed capacity of appliances that are about to be removed
version_added: 0.2.0
author:
  - The cloudadc.aws contributors (@cloudadc)
description:
  - Gives the bandwidth of each appliance back to its licence server, before the appliance is terminated. The capacity
    of an appliance that is terminated without this returns to the pool only after ten minutes of silence.
  - It never stands in the way of a removal. An appliance that does not answer, or refuses, is a warning.
  - Nothing is saved and nothing is rebooted. An appliance without such capacity is left alone.
  - Calls - for each appliance one login, one GET, one write where there is capacity to return, and one logout.
extends_documentation_fragment:
  - cloudadc.aws.event
  - cloudadc.aws.nitro.one_or_many
  - cloudadc.aws.attributes
  - cloudadc.aws.attributes.action_group_nitro
options:
  nodes:
    description: Many appliances instead of one O(nsip), all of them side by side.
    type: list
    elements: dict
    suboptions:
      nsip:
        description: Address of the appliance's management interface, as O(nsip).
        type: str
        required: true
  connect_timeout:
    description: Seconds after which an appliance that accepts no connection counts as gone.
    type: float
    default: 5
  keep_primary:
    description:
      - Leave the licence of an appliance that reports itself primary of an HA pair when the licence would be returned.
        That is a warning. For the removal of a secondary, which may have become primary since that was decided.
      - One more GET for each appliance.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Return the licences of two nodes before they are terminated
  cloudadc.aws.vpx_license_return:
    nitro_pass: "{{ vpx_password }}"
    nodes:
      - nsip: 10.0.1.10
      - nsip: 10.0.1.11
"""

RETURN = r"""
returned:
  description: The bandwidth that was returned, or would be in check mode; null if there was none, or it is not known.
  returned: success, with O(nsip)
  type: dict
  contains:
    bandwidth:
      description: Amount.
      type: int
      returned: always
    unit:
      description: V(Mbps) or V(Gbps).
      type: str
      returned: always
    edition:
      description: Edition as NITRO names it.
      type: str
      returned: always
reason:
  description: Why nothing was returned, or null.
  returned: success, with O(nsip)
  type: str
nodes:
  description: One entry an appliance, in the order of O(nodes).
  returned: with O(nodes)
  type: list
  elements: dict
  contains:
    nsip:
      description: The address as it was given.
      type: str
      returned: always
    changed:
      description: Whether capacity was returned, or would be in check mode.
      type: bool
      returned: always
    error:
      description: Always null, as failures are warnings.
      type: str
      returned: always
    returned:
      description: As RV(returned).
      type: dict
      returned: always
    reason:
      description: As RV(reason).
      type: str
      returned: always
"""

from typing import Any

from ..module_utils.core.errors import Refusal
from ..module_utils.core.nitro_errors import NitroError
from ..module_utils.nitro.ha import ObservedHa
from ..module_utils.nitro.licences import held_capacity
from ..module_utils.nitro.module import probe_from
from ..module_utils.nitro.one_or_many import Job, one_or_many, run
from ..module_utils.reconcile.claims import claimed, event_argument_spec


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options of this module, besides those of every NITRO module."""
    return {
        "connect_timeout": {"type": "float", "default": 5.0},
        "keep_primary": {"type": "bool", "default": False},
        "event": event_argument_spec(),
    }


def work(job: Job) -> dict[str, Any]:
    """Return the capacity of one appliance; whatever keeps it from that is a warning."""
    try:
        held = return_capacity(job)
    except Refusal as refused:
        job.warn(f"its licence was not returned: {refused}")
        return result(None, str(refused))
    except NitroError as error:
        reason = f"its licence was not returned and is free again after ten minutes of silence: {error}"
        job.warn(f"{job.nsip}: {reason}")
        return result(None, reason)
    return result(held, None if held else "it holds no capacity of a licence server")


def return_capacity(job: Job) -> dict[str, Any] | None:
    """Return what the appliance held; None if that was nothing. Raises Refusal or NitroError."""
    with probe_from(job.params, job.nsip, job.params["connect_timeout"]) as client:
        if job.params["keep_primary"]:
            refuse_primary(job.nsip, ObservedHa.from_rows(client.get("hanode")))
        held = held_capacity(next(iter(client.get("nscapacity")), {}))
        if held and not job.check:
            client.unset("nscapacity", {"bandwidth": True})
        return held


def refuse_primary(nsip: str, observed: ObservedHa) -> None:
    """Raise Refusal for an appliance that is primary of a pair; one without a peer always says that it is."""
    if observed.peers and observed.me is not None and observed.me.is_a("Primary"):
        raise Refusal(f"{nsip} is primary of its pair now")


def result(held: dict[str, Any] | None, reason: str | None) -> dict[str, Any]:
    return {
        "changed": held is not None,
        "returned": held,
        "reason": reason,
        "diff": {"before": {"capacity": held}, "after": {"capacity": None}},
    }


def main() -> None:
    module = one_or_many(argument_spec(), per_node=())
    with claimed(module):
        run(module, work)


if __name__ == "__main__":
    main()
