# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The registry of stores, and the option ``store`` of the modules.

A store is one file, one line in ``REGISTRY`` and one in ``spec/stores.py``. The modules are an AnsibleAWSModule that
does not look for boto3: a store of files needs neither boto3 nor credentials nor a region, and only the store of
DynamoDB creates a client.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import missing_required_lib

from ..spec.metrics import WATCHED
from ..spec.stores import DEFAULT_STORE, STORES
from . import file
from .base import Key, Store, StoreUnusable


@dataclass(frozen=True, slots=True)
class Backend:
    """One kind of store.

    Args:
        open: Opens the store of a key: module, suboptions, key, whether it may be created, options of a client.
        keys: Returns the keys of a group: module, suboptions, group.
    """

    open: Callable[[Any, Mapping[str, Any], Key, bool, Mapping[str, Any]], Store]
    keys: Callable[[Any, Mapping[str, Any], str], list[Key]]


def _open_file(_module: Any, named: Mapping[str, Any], key: Key, _create: bool, _client: Mapping[str, Any]) -> Store:
    return file.FileStore(named["path"], key)


def _open_table(
    module: Any, named: Mapping[str, Any], key: Key, create: bool, client_options: Mapping[str, Any]
) -> Store:
    from . import dynamodb  # only here: a store of files does without boto3, whose import takes longer than a task

    client = _client(module, **client_options)
    missing_is_empty = bool(named.get("create"))
    return dynamodb.DynamoStore(
        client, named["table"], key, missing_is_empty=missing_is_empty, create=missing_is_empty and create
    )


def _keys_of_table(module: Any, named: Mapping[str, Any], group: str) -> list[Key]:
    from . import dynamodb

    return dynamodb.stored_keys(_client(module), named["table"], group, missing_is_empty=bool(named.get("create")))


#: How a store is opened, by its name in ``store.type``, which ``spec/stores.py`` has, too.
REGISTRY: dict[str, Backend] = {
    "file": Backend(_open_file, lambda _module, named, group: file.stored_keys(named["path"], group)),
    "dynamodb": Backend(_open_table, _keys_of_table),
}


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What ``open_store`` needs of a module, for callers that are none. ``client``: makes the client of a service."""

    params: Mapping[str, Any]
    client: Callable[..., Any]
    check_mode: bool = False


#: Creates a missing table, or reads it as empty.
CREATE = {"type": "bool", "default": False}


def store_argument_spec(**more: Any) -> dict[str, Any]:
    """Return the option ``store``; ``more``: suboptions that only some modules have."""
    return {
        "type": "dict",
        "required": True,
        "options": {
            "type": {"type": "str", "choices": list(REGISTRY), "default": DEFAULT_STORE},
            "path": {"type": "path"},
            "table": {"type": "str"},
            **more,
        },
        "required_if": [("type", name, (kind.option,)) for name, kind in STORES.items()],
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
    """Return the options of doc fragment ``cloudadc.aws.autoscale``."""
    return {
        "group": {"type": "str", "required": True},
        "zone": {"type": "str", "required": True},
        "policy": _POLICY,
        "store": store_argument_spec(create=CREATE),
    }


def open_store(module: Any, group: str, zone: str, *, may_create: bool = False, **client_options: Any) -> Store:
    """Return the store of this (group, zone) that the module's options name; nothing is read or written yet.

    ``may_create``: this module writes, so a missing table may be made where ``store.create`` asks for it.
    ``client_options``: for the client of DynamoDB, of modules whose ``validate_certs`` is about something else.
    """
    if not group or not zone:
        raise StoreUnusable("group and zone must not be empty")
    named = module.params["store"]
    create = may_create and not module.check_mode
    return REGISTRY[named["type"]].open(module, named, Key(group, zone), create, client_options)


def stored_keys(module: Any, group: str) -> list[Key]:
    """Return the zones of this group of which the store holds state."""
    named = module.params["store"]
    return REGISTRY[named["type"]].keys(module, named, group)


def default_owner() -> str:
    """Return the owner of calls that name none: this process, by a name that no other process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def _client(module: Any, **client_options: Any) -> Any:
    from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3

    if not HAS_BOTO3:
        raise StoreUnusable(missing_required_lib("botocore and boto3", reason="for store.type dynamodb"))
    from ..core.bounded_aws import bounded  # only here, as above

    return bounded(module.client("dynamodb", **client_options))
