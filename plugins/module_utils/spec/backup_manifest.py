# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The metadata of a stored backup: what a restore must know of the nodes that were backed up. Pure.

S3 keeps at most 2 KB of user metadata in US-ASCII
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html), so what can be long is compressed JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Bytes of the compressed part, and of what it may unpack to.
MAX_MANIFEST = 1400
_MAX_JSON = 256 * 1024
_KEY = "manifest"


@dataclass(frozen=True, slots=True)
class Manifest:
    """``applications``: names that the definition had. ``nodes``: id and private addresses by interface role of each.

    ``facts``: build, node, role, time and checksum, as a person reads them in the console of S3.
    """

    facts: Mapping[str, str] = field(default_factory=dict)
    applications: tuple[str, ...] = ()
    nodes: tuple[Mapping[str, Any], ...] = ()


def to_metadata(manifest: Manifest) -> tuple[dict[str, str], bool]:
    """Return the user metadata, and whether everything fitted."""
    facts = {name: _ascii(value) for name, value in manifest.facts.items()}
    content = {"applications": list(manifest.applications), "nodes": [dict(node) for node in manifest.nodes]}
    text = json.dumps(content, separators=(",", ":")).encode()
    packed = base64.b64encode(zlib.compress(text, 9)).decode()
    return (facts, False) if len(packed) > MAX_MANIFEST else ({**facts, _KEY: packed}, True)


def from_metadata(metadata: Mapping[str, str]) -> Manifest:
    """Return the manifest; what is missing or cannot be read is empty."""
    facts = {name: value for name, value in metadata.items() if name != _KEY}
    content = _unpacked(metadata.get(_KEY, ""))
    nodes = content.get("nodes")
    applications = content.get("applications")
    return Manifest(
        facts,
        tuple(map(str, applications)) if isinstance(applications, list) else (),
        tuple(node for node in nodes if _is_node(node)) if isinstance(nodes, list) else (),
    )


def _unpacked(text: str) -> Mapping[str, Any]:
    try:
        packed = base64.b64decode(text, validate=True)
        found = json.loads(zlib.decompressobj().decompress(packed, _MAX_JSON) or b"{}")
    except (binascii.Error, zlib.error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_node(node: object) -> bool:
    if not isinstance(node, dict) or "node" not in node:
        return False
    return all(isinstance(value, Sequence) for value in node.values())


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:200]
