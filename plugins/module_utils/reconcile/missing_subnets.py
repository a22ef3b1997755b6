# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The message for a definition of which nothing exists where it was looked for: another region, or another account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.errors import Failure
from ..core.parallel import attempt

#: How the message about one missing subnet begins.
MISSING = "There is no subnet "
_KEYS = ("management_subnet_id", "client_subnet_id", "server_subnet_id")


def combine_missing(
    problems: Sequence[str], locations: Sequence[Mapping[str, Any]], region: str, account: Callable[[], str]
) -> list[str]:
    """Return the problems, with one for all subnets if none of them exists.

    Args:
        problems: Messages, among them one for each missing subnet.
        locations: Nodes of a pair or zones of a group, with their subnets.
        region: The region that was read.
        account: Returns the id of the account; called only if no subnet exists.
    """
    asked = {location[key] for location in locations for key in _KEYS if location.get(key)}
    missing = [problem for problem in problems if problem.startswith(MISSING)]
    if len(asked) < 2 or len(missing) < len(asked):
        return list(problems)
    found = attempt(account)
    owner = "of this account" if isinstance(found, Failure) else f"of account {found}"
    first = (
        f"None of the {len(asked)} subnets exists in region {region} {owner}: nothing of this definition is there. "
        "Check the region and the credentials."
    )
    return [first, *(problem for problem in problems if problem not in missing)]
