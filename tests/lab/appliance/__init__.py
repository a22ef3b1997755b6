"""The appliances of the lab: NITRO as the vendor documents it, for every VPX instance of the region."""

from __future__ import annotations

from .fleet import ApplianceSide
from .settings import BootTimes, Settings

__all__ = ["ApplianceSide", "BootTimes", "Settings"]
