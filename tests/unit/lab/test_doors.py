"""Where a machine without IPv6 addresses finds those of the lab."""

from __future__ import annotations

import pytest

from tests.lab.doors import caller_of, door_of
from tests.lab.seed import ROUTED_IPV6


@pytest.mark.parametrize(
    ("address", "door"),
    [
        ("127.10.11.50", "127.10.11.50"),
        ("2400:6500:1:20b::c8", "127.11.235.200"),
        (ROUTED_IPV6.replace("/64", "9"), "127.11.238.9"),
    ],
)
def test_an_ipv6_address_has_a_door_in_the_public_range(address: str, door: str) -> None:
    assert door_of(address, "127.11") == door


def test_a_client_calls_with_the_ip_version_of_the_address() -> None:
    assert caller_of("127.0.0.1", "127.10.11.50") == "127.0.0.1"
    assert caller_of("127.0.0.1", "fd00:7::9") == "2001:db8:ffff::7f00:1"
