"""The stores of the contract suite, for what modules and processes do with them."""

from __future__ import annotations

from tests.contract import stores

client, clock, dynalite_url, moto_url = stores.client, stores.clock, stores.dynalite_url, stores.moto_url
options, spoil, store, table = stores.options, stores.spoil, stores.store, stores.table
