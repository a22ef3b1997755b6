"""GetCallerIdentity of a key that is no user's and no session's: the account's own, its root user's.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html; moto names a user that does not exist.
"""

from __future__ import annotations

from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import STSBackend

from tests.lab.aws.mends.patch import replaces

_who = STSBackend.get_caller_identity


@replaces(STSBackend, "get_caller_identity")
def get_caller_identity(backend: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
    users = iam_backends[backend.account_id][backend.partition]
    if backend.get_assumed_role_from_access_key(access_key_id) or users.get_user_from_access_key_id(access_key_id):
        found: tuple[str, str, str] = _who(backend, access_key_id, region)
        return found
    return backend.account_id, f"arn:{backend.partition}:iam::{backend.account_id}:root", backend.account_id
