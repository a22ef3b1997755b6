"""IAM: instance profiles know when they were made, on the lab's clock (see `Settings.profile_lag`)."""

from __future__ import annotations

from typing import Any

from moto.iam.models import InstanceProfile

from tests.lab.aws.ground import ground
from tests.lab.aws.mends.patch import replaces

_init = InstanceProfile.__init__


@replaces(InstanceProfile, "__init__")
def init_instance_profile(profile: Any, *args: Any, **kwargs: Any) -> None:
    profile.lab_made_at = ground().now()
    _init(profile, *args, **kwargs)
