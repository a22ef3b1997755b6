# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The option ``store`` of the modules, and the store it names.

The modules are an AnsibleAWSModule that was told not to look for boto3: a store of files needs neither boto3 nor
credentials nor a region, and only the store of DynamoDB asks for a client.
"""

from __future__ import annotations

import os
import socket
import uuid
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3

from ..spec.metrics import WATCHED
from . import dynamodb, file
from .base import Key, Store, StoreUnusable

#: Makes a missing table, or reads it as empty.
CREATE = {"type": "bool", "default": False}


def store_argument_spec(**more: Any) -> dict[str, Any]:
    """The option ``store``; ``more``: suboptions that only some modules have."""
    return {
        "type": "dict",
        "required": True,
        "options": {
            "type": {"type": "str", "choices": ["file", "dynamodb"], "default": "file"},
            "path": {"type": "path"},
            "table": {"type": "str"},
            **more,
        },
        "required_if": [("type", "file", ("path",)), ("type", "dynamodb", ("table",))],
    }


_LIMITS = {"type": "dict", "options": {"min": {"type": "raw"}, "max": {"type": "raw"}}}

_POLICY: dict[str, Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "metrics": {
            "type": "dict",
            "required": True,
            "options": dict.fromkeys(WATCHED, _LIMITS),
        },
        "watch_time": {"type": "raw"},
        "interval": {"type": "raw"},
        "cooldown": {"type": "raw"},
        "drain_timeout": {"type": "raw"},
        "ttl": {"type": "raw"},
        "distributor": {"type": "str"},
        "min_nodes": {"type": "raw"},
        "max_nodes": {"type": "raw"},
        "step": {"type": "raw"},
    },
}


def zone_argument_spec() -> dict[str, Any]:
    """The options of doc fragment ``cloudadc.aws.autoscale``."""
    return {
        "group": {"type": "str", "required": True},
        "zone": {"type": "str", "required": True},
        "policy": _POLICY,
        "store": store_argument_spec(create=CREATE),
    }


def open_store(module: Any, group: str, zone: str, *, may_create: bool = False, **client_options: Any) -> Store:
    """The store of this (group, zone) that the module's options name; nothing is read or written yet.

    ``may_create``: this module writes, so a missing table may be made where ``store.create`` asks for it.
    ``client_options``: for the client of DynamoDB, of modules whose ``validate_certs`` speaks of something else.
    """
    if not group or not zone:
        raise StoreUnusable("group and zone must not be empty")
    named, key = module.params["store"], Key(group, zone)
    if named["type"] == "file":
        return file.FileStore(named["path"], key)
    client = _client(module, **client_options)
    made_if_missing = bool(named.get("create"))
    create = made_if_missing and may_create and not module.check_mode
    return dynamodb.DynamoStore(client, named["table"], key, missing_is_empty=made_if_missing, create=create)


def stored_keys(module: Any, group: str) -> list[Key]:
    """The zones of this group that have a record in the store."""
    named = module.params["store"]
    if named["type"] == "file":
        return file.stored_keys(named["path"], group)
    return dynamodb.stored_keys(_client(module), named["table"], group, missing_is_empty=bool(named.get("create")))


def default_owner() -> str:
    """Who asks, when nobody says: this process, unmistakably."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _client(module: Any, **client_options: Any) -> Any:
    if not HAS_BOTO3:
        raise StoreUnusable(missing_required_lib("botocore and boto3", reason="for store.type dynamodb"))
    return module.client("dynamodb", **client_options)
