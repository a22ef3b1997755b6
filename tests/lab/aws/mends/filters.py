"""Filters of Describe calls: one value that fits is enough.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html: "If you specify multiple values for a filter,
the values are joined with an OR". moto asks of something with several values, such as the private addresses of an
interface, that it has all of those of the filter.
"""

from __future__ import annotations

import fnmatch
from collections.abc import KeysView, Set, ValuesView
from typing import Any

from moto.ec2 import utils

from tests.lab.aws.mends.patch import replaces

_matching = utils.is_filter_matching


@replaces(utils, "is_filter_matching")
def is_filter_matching(thing: Any, name: str, desired: Any) -> bool:
    values = thing.get_filter_value(name) if desired is not None else None
    if not isinstance(values, list | tuple | Set | KeysView | ValuesView):
        return bool(_matching(thing, name, desired))
    patterns = [desired] if isinstance(desired, str) else desired
    return any(fnmatch.fnmatch(str(value), str(pattern)) for value in values for pattern in patterns)
