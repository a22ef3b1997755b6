# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of the modules that find a pair by its tags and query both nodes."""

from __future__ import annotations


class ModuleDocFragment:
    """``cloudadc.aws.pair``."""

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
