"""Clients that act as other roles: made once, and again before their session ends."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.accounts import MARGIN, Accounts, acting_as
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal

ROLE = "arn:aws:iam::111122223333:role/routes"


class Own:
    region = "eu-central-1"


def test_a_role_is_assumed_once_and_again_before_its_session_ends() -> None:
    now, made = [0.0], []

    def assume(role: str) -> tuple[str, float]:
        made.append(role)
        return f"client {len(made)}", now[0] + 3600

    accounts = Accounts(Own(), assume, clock=lambda: now[0])
    assert [acting_as(accounts, ROLE), acting_as(accounts, ROLE)] == ["client 1", "client 1"]
    now[0] = 3600 - MARGIN + 1
    assert acting_as(accounts, ROLE) == "client 2"
    assert made == [ROLE, ROLE]


def test_the_own_client_is_used_without_a_role() -> None:
    own = Own()
    accounts = Accounts(own, lambda _role: (None, 0.0))
    assert (acting_as(accounts, None), acting_as(own, None), accounts.region) == (own, own, "eu-central-1")


def test_a_caller_of_one_account_says_so() -> None:
    with pytest.raises(Refusal, match=f"{ROLE} cannot be assumed here"):
        acting_as(Own(), ROLE)
