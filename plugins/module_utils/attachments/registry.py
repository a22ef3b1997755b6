# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of attachments."""

from __future__ import annotations

from typing import Any

from .base import Attachment
from .elastic_ip import ElasticIp
from .private_ip import PrivateIp
from .route import Route

ELASTIC_IP = ElasticIp()
PRIVATE_IP = PrivateIp()
ROUTE = Route()

#: Attachment by its kind.
REGISTRY: dict[str, Attachment[Any, Any, Any, Any]] = {entry.kind: entry for entry in (ELASTIC_IP, PRIVATE_IP, ROUTE)}
