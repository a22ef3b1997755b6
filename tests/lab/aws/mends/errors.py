"""EC2's refusals, by the codes and sentences of the EC2 API's error table.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

from moto.ec2.exceptions import EC2ClientError


def refuse(code: str, message: str) -> Exception:
    """The exception that moto turns into an EC2 error answer (HTTP 400)."""
    error: Exception = EC2ClientError(code, message)
    return error
