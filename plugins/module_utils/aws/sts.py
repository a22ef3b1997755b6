# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose the credentials are: one function a call."""

from __future__ import annotations

from .client import Client
from .errors import aws_call


@aws_call("ask AWS whose the credentials are")
def account_id(client: Client) -> str:
    """GetCallerIdentity. No policy can forbid it."""
    return str(client.get_caller_identity()["Account"])
