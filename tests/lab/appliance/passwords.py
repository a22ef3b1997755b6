"""Users' passwords, and the forced change of the first one (vendor docs: VPX on AWS; the vendor's first-login
lambda).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import NitroFault
from .schema import Row

if TYPE_CHECKING:
    from .appliance import Appliance
    from .context import Context


def acceptable(ctx: Context, username: str, password: str) -> None:
    """1047 for a default password of nsroot, 1079 for one shorter than systemparameter minpasswordlen."""
    _acceptable(ctx.appliance, username, password)


def _acceptable(appliance: Appliance, username: str, password: str) -> None:
    if username == "nsroot" and password in ("nsroot", appliance.instance_id):
        raise NitroFault(1047)
    if len(password) < int(appliance.running.single("systemparameter").get("minpasswordlen", 4)):
        raise NitroFault(1079)


def check(appliance: Appliance, username: str, password: str, now: float) -> Row:
    """The user's row; 354 when user or password is wrong, 1046 when the first password must be changed before
    anything else.
    """
    user = _known(appliance, username, password, now)
    if user.get("_forced"):
        raise NitroFault(1046)
    return user


def change_at_login(appliance: Appliance, username: str, password: str, new: str, now: float) -> Row:
    """A login that carries ``new_password``: good once, for a user whose change is forced; afterwards 278 (599)."""
    user = appliance.running.first("systemuser", username=username)
    if user is not None and not user.get("_forced"):
        raise NitroFault(278)
    user = _known(appliance, username, password, now)
    _acceptable(appliance, username, new)
    user["password"] = new
    del user["_forced"]
    return user


def _known(appliance: Appliance, username: str, password: str, now: float) -> Row:
    """NITRO may open before the first boot's script has made the instance id the password (aws_vpx.md, section 2a)."""
    user = appliance.running.first("systemuser", username=username)
    if user is None or user.get("password") != password:
        raise NitroFault(354)
    if user.get("_forced") and now < appliance.ready_at + appliance.settings.first_login_seconds:
        raise NitroFault(354)
    return user
