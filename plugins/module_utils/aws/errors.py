# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors of AWS: one exception family, one message, and the decorator of functions that make a call."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from ..core.errors import Failure
from .rights import hint, missing_action, service_of

try:
    from botocore.exceptions import ConnectionError as NoConnection
    from botocore.exceptions import HTTPClientError
    from botocore.parsers import ResponseParserError

    _LOST: tuple[type[Exception], ...] = (NoConnection, HTTPClientError)
    _UNPARSED: tuple[type[Exception], ...] = (ResponseParserError,)
except ImportError:
    _LOST = _UNPARSED = ()

#: What an answer raises that is not the one to the question, such as the page of a proxy.
_SENSELESS: tuple[type[Exception], ...] = (*_UNPARSED, LookupError, TypeError, ValueError, AttributeError)

P = ParamSpec("P")
R = TypeVar("R")

# AWSRetry knows RequestLimitExceeded and Throttling; these say the same in other services' words.
_TRY_AGAIN = ("ThrottlingException", "EC2ThrottledException", "RequestThrottled", "SlowDown", "InternalServerError")


class AwsError(AnsibleAWSError, Failure):  # type: ignore[misc]
    """A call that AWS refused or that never reached it. ``message`` says what was tried, ``service`` of whom."""

    message: str
    exception: Exception | None
    service: str | None = None

    @property
    def code(self) -> str | None:
        """The error code of the service, as in "InvalidAllocationID.NotFound"; None if no answer came."""
        return self._detail().get("Code")

    @property
    def missing(self) -> str | None:
        """The action of IAM that the caller has no right to, as in "ec2:AssociateAddress"; None at other errors."""
        operation = getattr(self.exception, "operation_name", None)
        return missing_action(self.code, str(self._detail().get("Message")), self.service, operation)

    def codes(self) -> dict[str, Any]:
        """Return the error code of the service; None if no answer came."""
        return {"error_code": self.code}

    def text(self) -> str:
        """Return one line with what was tried and the answer of the other side, with its code."""
        detail = self._detail()
        if detail:
            operation = getattr(self.exception, "operation_name", "the call")
            text = f"AWS answered {detail.get('Code')} to {operation}: {detail.get('Message')}"
        else:
            text = str(self.exception)
        missing = self.missing
        advice = f". {hint(missing)}" if missing else ""
        return " ".join(f"{self.message}: {text.rstrip('.') if advice else text}{advice}".split())

    def __str__(self) -> str:
        return self.text()

    def _detail(self) -> dict[str, str]:
        response = getattr(self.exception, "response", None)
        detail = response.get("Error", {}) if isinstance(response, dict) else {}
        return cast("dict[str, str]", detail)


class SenselessAnswer(Exception):
    """An answer with success that is not the one that the documentation promises; whether a write landed is unknown."""

    def __init__(self, error: Exception) -> None:
        what = " ".join(str(error).split())[:120]
        super().__init__(
            f"the answer made no sense ({type(error).__name__}: {what}); does a proxy or a sign-in page answer for AWS?"
        )


class _ErrorHandler(AWSErrorHandler):  # type: ignore[misc]
    _CUSTOM_EXCEPTION = AwsError


def aws_call(
    description: str, *, retry_on: Sequence[str] = (), retries: int = 8, delay: float = 0.2, lost: int = 0
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that makes one AWS call: errors become AwsError, throttling is waited out.

    ``description`` completes "Failed to …" and may name parameters of the function in braces. ``retry_on`` are further
    error codes that pass by themselves; ``delay`` is the first back-off in seconds (jittered, doubling, 5 s at most).
    ``retries`` 0: the call is made once, for callers that must judge again before they repeat it. ``lost``: how often
    a call without an answer is repeated, for reads over clients that do not do it themselves (see client.connect).
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        again = AWSRetry.jittered_backoff(
            retries=retries, delay=delay, max_delay=5, catch_extra_error_codes=[*_TRY_AGAIN, *retry_on]
        )(_despite_losses(function, lost))
        again = again if retries else function

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            text = description.format_map(given)
            try:
                return cast("R", _ErrorHandler.common_error_handler(text)(again)(*args, **kwargs))
            except AwsError as error:
                error.service = service_of(given.get("client"))
                raise
            except _SENSELESS as error:
                raise AwsError(f"Failed to {text}", SenselessAnswer(error)) from None

        return call

    return decorate


def _despite_losses(function: Callable[P, R], lost: int) -> Callable[P, R]:
    """Repeat a read whose answer did not come, where the client makes one attempt only."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for _turn in range(lost if _single_attempt(args[0] if args else kwargs.get("client")) else 0):
            with contextlib.suppress(*_LOST):
                return function(*args, **kwargs)
        return function(*args, **kwargs)

    return call


def _single_attempt(client: Any) -> bool:
    config = getattr(getattr(client, "meta", None), "config", None)
    retries = getattr(config, "retries", None)
    return isinstance(retries, dict) and retries.get("total_max_attempts") == 1
