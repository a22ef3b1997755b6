# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of the modules that find a pair by its tags and query both nodes, and of those that try a new primary."""

from __future__ import annotations


class ModuleDocFragment:
    """``cloudadc.aws.pair``, and ``cloudadc.aws.pair.trial``."""

    DOCUMENTATION = r"""
options:
  group:
    description:
      - The pair, the value of the tag C(cloudadc:group) of its instances.
    type: str
    required: true
  elastic_ips:
    description:
      - The Elastic IPs of the pair, as public addresses or allocation ids.
      - By default those that are tagged with O(group) and C(cloudadc:role=client).
    type: list
    elements: str
  nitro_port:
    description:
      - Port of NITRO. By default that of O(nitro_protocol).
    type: int
  probe_timeout:
    description:
      - Seconds after which a node that has not answered counts as silent.
    type: float
    default: 1.0
  settle_timeout:
    description:
      - Seconds to wait until exactly one node is primary.
    type: float
    default: 10
"""

    TRIAL = r"""
options:
  bake_time:
    description:
      - Seconds for which the new primary must serve.
    type: int
    default: 300
  serve_timeout:
    description:
      - Seconds within which its virtual servers must be UP at first.
    type: int
    default: 60
  ignore_missing:
    description:
      - Whether to switch to a node that lacks virtual servers of the other one.
    type: bool
    default: false
  ignore_guard:
    description:
      - Whether to move an address to a node of which no virtual server answers there.
    type: bool
    default: false
  timeout:
    description:
      - Seconds within which a node must become primary.
    type: float
    default: 30
"""
