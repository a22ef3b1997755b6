# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose the credentials are: one function a call."""

from __future__ import annotations

from typing import Any

from .client import Client
from .errors import aws_call


@aws_call("ask AWS whose the credentials are")
def account_id(client: Client) -> str:
    """GetCallerIdentity. No policy can forbid it."""
    return str(client.get_caller_identity()["Account"])


@aws_call("assume {role_arn}")
def assume_role(client: Client, role_arn: str) -> dict[str, Any]:
    """AssumeRole for an hour; AccessKeyId, SecretAccessKey, SessionToken and Expiration of the session."""
    found: dict[str, Any] = client.assume_role(RoleArn=role_arn, RoleSessionName="cloudadc-aws")["Credentials"]
    return found
