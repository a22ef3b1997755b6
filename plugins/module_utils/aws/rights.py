# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A refusal for want of rights: which action of IAM is missing, and where it is written what is needed."""

from __future__ import annotations

import re
from typing import Any

#: How the services say it: EC2, the JSON services, and the others
#: (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthorizationError"})
WHERE = "roles/preflight/files/policies has what each playbook needs (docs/security.md)"

_NAMED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
#: Actions that the shipped policy permits only for roles with the permissions boundary.
_NEED_BOUNDARY = frozenset(
    f"iam:{name}"
    for name in (
        *("CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy"),
        *("UpdateAssumeRolePolicy", "UpdateRole"),
    )
)
_BOUNDARY = (
    ", or the role lacks the permissions boundary that they require (ha_pair_permissions_boundary, "
    "autoscale_group_permissions_boundary)"
)
#: The prefix of a service's actions where it is not the name that its requests are signed for.
_PREFIXES = {"monitoring": "cloudwatch"}


def missing_action(code: str | None, message: str, service: str | None, operation: str | None) -> str | None:
    """Return the refused action, as "ec2:AssociateAddress"; None if the error is about something else.

    AWS may name another than the call itself, such as iam:PassRole for RunInstances, or, at some calls of EC2, none.
    ``service``: the name that requests are signed for.
    """
    if code not in DENIED:
        return None
    named = _NAMED.search(message)
    if named:
        return named[1]
    if service and operation:
        return f"{_PREFIXES.get(service, service)}:{operation}"
    return operation


def hint(action: str) -> str:
    """Return what a refusal adds to AWS's answer."""
    missing = f"The action {action} is missing in the rights of these credentials"
    return f"{missing}{_BOUNDARY if action in _NEED_BOUNDARY else ''}: {WHERE}"


def service_of(client: Any) -> str | None:
    """Return the service for which this boto3 client signs its requests; None if it is no client."""
    model = getattr(getattr(client, "meta", None), "service_model", None)
    name = getattr(model, "signing_name", None)
    return name if isinstance(name, str) else None
