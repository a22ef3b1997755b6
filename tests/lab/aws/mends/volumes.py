"""Volumes say whether they go with their instance.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeAttachment.html; moto knows it of the device only.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.elastic_block_store import VolumeAttachment

from tests.lab.aws.mends.patch import replaces_property


@replaces_property(VolumeAttachment, "delete_on_termination")
def delete_on_termination(attachment: Any) -> bool:
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return bool(device and device.delete_on_termination)
