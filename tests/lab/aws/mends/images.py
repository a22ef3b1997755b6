"""The images of the lab's regions: the VPX from the marketplace, and one Linux for back ends.

moto brings 1,300 images a region, which a lab neither needs nor can wait for at every reset. The name of the VPX image
follows the marketplace's: product name, build, product code of the customer-licensed listing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.ec2.models.amis import Ami, AmiBackend

from tests.lab.aws.mends.patch import replaces

VPX_IMAGE_ID = "ami-0ad0c0000000000a1"
LINUX_IMAGE_ID = "ami-0ad0c0000000000b2"
VPX_PRODUCT = "63425ded-82f0-4b54-8cdd-6ec8b94bd4f8"
VPX_PRODUCT_CODE = "63425dedlabsku0000000000a"

_COMMON: dict[str, Any] = {
    "public": True,
    "virtualization_type": "hvm",
    "architecture": "x86_64",
    "hypervisor": "xen",
    "root_device_type": "ebs",
    "sriov": "simple",
}


@replaces(AmiBackend, "_load_amis")
def load_images(backend: Any) -> None:
    backend.amis[VPX_IMAGE_ID] = Ami(
        backend,
        VPX_IMAGE_ID,
        name=f"Citrix ADC 14.1-72.61-{VPX_PRODUCT}",
        description="NetScaler VPX - Customer Licensed",
        owner_id="679593333241",
        owner_alias="aws-marketplace",
        image_location=f"aws-marketplace/Citrix ADC 14.1-72.61-{VPX_PRODUCT}",
        creation_date=datetime(2026, 9, 1, 8, 0, 0),
        root_device_name="/dev/sda1",
        product_codes=[{"ProductCodeId": VPX_PRODUCT_CODE, "ProductCodeType": "marketplace"}],
        **_COMMON,
    )
    backend.amis[LINUX_IMAGE_ID] = Ami(
        backend,
        LINUX_IMAGE_ID,
        name="al2023-ami-2023.7.20250331.0-kernel-6.1-x86_64",
        description="Amazon Linux 2023",
        owner_id="137112412989",
        owner_alias="amazon",
        image_location="amazon/al2023-ami-2023.7.20250331.0-kernel-6.1-x86_64",
        creation_date=datetime(2025, 3, 29, 8, 0, 0),
        root_device_name="/dev/xvda",
        **_COMMON,
    )


def is_vpx(backend: Any, image_id: str) -> bool:
    """Whether an instance of this image is an appliance: by the vendor's product names, also for copied images."""
    image = backend.amis.get(image_id)
    name = f"{image.name} {image.description}".lower() if image else ""
    return image_id == VPX_IMAGE_ID or "citrix adc" in name or "netscaler" in name
