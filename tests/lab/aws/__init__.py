"""The lab's AWS region: what exists there, as moto keeps it and as AWS documents it.

`AwsSide(clock, network)` is both the server (`Side`) and what the rest of the lab may ask of the region (`Region`).
"""

from __future__ import annotations

from tests.lab.aws.balancing import Route
from tests.lab.aws.ground import Settings
from tests.lab.aws.mends.images import LINUX_IMAGE_ID, VPX_IMAGE_ID
from tests.lab.aws.side import AwsSide

__all__ = ["LINUX_IMAGE_ID", "VPX_IMAGE_ID", "AwsSide", "Route", "Settings"]
