"""Volumes say whether they go with their instance.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeAttachment.html; moto knows it of the device only, and
keeps the tags of a volume that is deleted.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_block_store import EBSBackend, VolumeAttachment

from tests.lab.aws.mends.patch import replaces, replaces_property


@replaces_property(VolumeAttachment, "delete_on_termination")
def delete_on_termination(attachment: Any) -> bool:
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return bool(device and device.delete_on_termination)


_delete = EBSBackend.delete_volume


@replaces(EBSBackend, "delete_volume")
def delete_volume(backend: Any, volume_id: str) -> Any:
    deleted = _delete(backend, volume_id)
    backend.tags.pop(volume_id, None)
    return deleted
