# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which actions EC2 can be asked about by a dry run, and with what. Pure.

Only those without reference to something that is not there yet: for an id that it does not know, EC2 may say so instead
of what the caller may do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DryRun:
    """``action`` as IAM names it; ``operation`` as the API does; its parameters."""

    action: str
    operation: str
    parameters: Mapping[str, Any]


def dry_run(
    action: str,
    members: Collection[str],
    required: Collection[str],
    launch: Mapping[str, Any] | None,
    vpc_id: str | None,
) -> DryRun | None:
    """The dry run that tells whether ``action`` is allowed; None: there is none.

    ``members``, ``required``: the parameters that the operation knows, and those it wants. ``launch``: those of the
    RunInstances that is planned, if it is known.
    """
    service, _separator, operation = action.partition(":")
    if service != "ec2" or "DryRun" not in members:
        return None
    given: dict[str, Mapping[str, Any] | None] = {
        "AllocateAddress": {"Domain": "vpc"},
        "CreateSecurityGroup": {"GroupName": "preflight", "Description": "preflight", "VpcId": vpc_id}
        if vpc_id
        else None,
        "RunInstances": launch,
    }
    parameters = given.get(operation, {} if operation.startswith("Describe") else None)
    if parameters is None or set(required) - set(parameters):
        return None
    return DryRun(action, operation, parameters)
