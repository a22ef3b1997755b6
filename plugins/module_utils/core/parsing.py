# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The boundary of parsers: whatever shape an answer has, what comes out is a result or an error of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .errors import Failure

P = ParamSpec("P")
R = TypeVar("R")


class Unreadable(Failure):
    """An answer that has not the shape that its documentation promises."""


def readable(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a parser: an answer of the wrong shape raises Unreadable. ``what``: the answer, for the message."""

    def decorate(parser: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(parser)
        def parse(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return parser(*args, **kwargs)
            except Failure:
                raise
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
                message = " ".join(str(error).split())[:120]
                raise Unreadable(f"{what} makes no sense ({type(error).__name__}: {message})") from None

        return parse

    return decorate
