# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The call to Simple Notification Service. IAM: sns:Publish, on the topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import Client
from .errors import aws_call


@aws_call("publish to topic {topic_arn}", retries=0)
def publish(client: Client, topic_arn: str, message: Mapping[str, Any]) -> None:
    """Publish, once. ``message``: Subject, Message and MessageAttributes, as the API takes them."""
    client.publish(TopicArn=topic_arn, **message)
