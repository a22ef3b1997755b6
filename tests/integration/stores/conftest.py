"""The stores of the contract suite, for what modules and processes do with them."""

from __future__ import annotations

from tests.contract.stores import (  # noqa: F401
    client,
    clock,
    dynalite_url,
    moto_url,
    options,
    spoil,
    store,
    table,
)
