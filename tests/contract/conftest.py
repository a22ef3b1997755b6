"""Fixtures of the suite of stores."""

from __future__ import annotations

from tests.contract import stores

client, clock, dynalite_url, moto_url = stores.client, stores.clock, stores.dynalite_url, stores.moto_url
spoil, store, table = stores.spoil, stores.store, stores.table
