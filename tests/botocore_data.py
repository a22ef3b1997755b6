"""What botocore reads from its files, read once in a process: each session reads and parses all of it anew.

Models of services and endpoints are most of what a test of a module costs otherwise.
"""

from __future__ import annotations

import functools
from typing import Any

import botocore.loaders


@functools.cache
def keep() -> None:
    """Patch botocore in this process. What it reads is shared, and changed by nobody."""
    load = botocore.loaders.JSONFileLoader.load_file

    @functools.cache
    def kept(path: str) -> Any:
        return load(botocore.loaders.JSONFileLoader(), path)

    botocore.loaders.JSONFileLoader.load_file = lambda _self, path: kept(path)
