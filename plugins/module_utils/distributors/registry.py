# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of distributors, in the order in which messages and documentation name them."""

from __future__ import annotations

from .base import Distributor
from .dns.entry import Dns
from .nlb.entry import NetworkLoadBalancer

#: Distributor by its name in option ``distributor``; the first one is the default.
REGISTRY: dict[str, Distributor] = {entry.name: entry for entry in (NetworkLoadBalancer(), Dns())}
