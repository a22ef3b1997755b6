# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of target groups. Pure."""

from __future__ import annotations

import re

#: CreateTargetGroup: 32 characters, letters, digits and hyphens, no hyphen at either end.
LONGEST_TARGET_GROUP_NAME = 32
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


def target_group_name_problem(group: str, application: str) -> str | None:
    """Return why AWS refuses ``<group>-<application>`` as the name of a target group, None if it does not."""
    name = f"{group}-{application}"
    named = f"the target group of application {application} would be named {name}"
    if len(name) > LONGEST_TARGET_GROUP_NAME:
        return f"{named}, which has {len(name)} characters, and AWS allows 32 letters, digits and hyphens at most"
    if not _NAME.fullmatch(name):
        return f"{named}, and AWS allows 32 letters, digits and hyphens, and no hyphen at either end"
    return None
