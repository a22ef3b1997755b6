"""What botocore reads from its files, read once in a process: each session reads and parses all of it anew.

Models of services and endpoints are most of what a test of a module costs otherwise.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import botocore.loaders


@functools.cache
def keep() -> None:
    """Patch botocore in this process. What it reads is shared, except the model of S3: clients change its paths."""
    load = botocore.loaders.JSONFileLoader.load_file

    @functools.cache
    def kept(path: str) -> Any:
        return load(botocore.loaders.JSONFileLoader(), path)

    def load_file(loader: botocore.loaders.JSONFileLoader, path: str) -> Any:
        return load(loader, path) if f"{os.sep}s3{os.sep}" in path else kept(path)

    botocore.loaders.JSONFileLoader.load_file = load_file
