"""Fixtures of the suite of stores."""

from __future__ import annotations

from tests.contract.stores import client, clock, dynalite_url, moto_url, spoil, store, table  # noqa: F401
