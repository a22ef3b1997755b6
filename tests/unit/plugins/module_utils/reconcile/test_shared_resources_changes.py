"""Shared resources at an account in memory: reads that lag, runs at the same time, groups that are still in use."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.shared_resources import RoleSpec, SharedSpec
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.shared_resources_changes import (
    RELEASE_SECONDS,
    SharedResources,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.identity import Owner


def refusal(code: str, operation: str = "Call") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@dataclass
class Pages:
    reply: dict[str, Any]

    def paginate(self, **_filters: Any) -> Pages:
        return self

    def build_full_result(self) -> dict[str, Any]:
        return self.reply


@dataclass
class Account:
    """IAM and EC2 with a role and a profile. ``hidden``: readings of them that do not show what was created;
    ``taken``: another run creates the role first; ``held``: how often a security group is still in use."""

    hidden: int = 0
    taken: bool = False
    held: int = 0
    role: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None
    now: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def get_role(self, RoleName: str) -> dict[str, Any]:
        if self.role is None or self.hidden > 0:
            self.hidden -= self.role is not None
            raise refusal("NoSuchEntity", "GetRole")
        return {"Role": self.role}

    def get_instance_profile(self, InstanceProfileName: str) -> dict[str, Any]:
        if self.profile is None:
            raise refusal("NoSuchEntity", "GetInstanceProfile")
        return {"InstanceProfile": self.profile}

    def create_role(self, RoleName: str, AssumeRolePolicyDocument: str, **given: Any) -> dict[str, Any]:
        self.calls["CreateRole"] += 1
        shown = {"Arn": f"arn:{RoleName}", "Description": given["Description"], "Tags": given["Tags"]}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        exists = self.role is not None or self.taken
        self.role = {**shown, "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
        if exists:
            raise refusal("EntityAlreadyExists", "CreateRole")
        return {"Role": self.role}

    def create_instance_profile(self, InstanceProfileName: str, Tags: list[dict[str, str]]) -> None:
        self.calls["CreateInstanceProfile"] += 1
        self.profile = {"Tags": Tags, "Roles": []}

    def add_role_to_instance_profile(self, InstanceProfileName: str, RoleName: str) -> None:
        self.calls["AddRoleToInstanceProfile"] += 1
        assert self.profile is not None
        self.profile["Roles"].append({"RoleName": RoleName})

    def get_paginator(self, name: str) -> Pages:
        interfaces = [{"NetworkInterfaceId": "eni-9"}]
        return Pages({"SecurityGroups": [], "NetworkInterfaces": interfaces})

    def describe_addresses(self, **_filters: Any) -> dict[str, Any]:
        return {"Addresses": []}

    def delete_security_group(self, GroupId: str) -> None:
        self.calls["DeleteSecurityGroup"] += 1
        if self.held:
            self.held -= 1
            raise refusal("DependencyViolation", "DeleteSecurityGroup")


@pytest.fixture(autouse=True)
def no_real_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def resources(account: Account) -> SharedResources:
    spec = SharedSpec(Owner("shop", "pair"), role=RoleSpec())
    return SharedResources(spec, account, account, clock=lambda: account.now, sleep=account.sleep)


def converge(account: Account) -> SharedResources:
    shared = resources(account)
    observed = shared.observe()
    assert shared.converge(observed, shared.plan(observed)).role
    return shared


ONCE = Counter(CreateRole=1, CreateInstanceProfile=1, AddRoleToInstanceProfile=1)


@pytest.mark.parametrize("hidden", [0, 1, 3])
def test_what_is_not_shown_yet_is_not_written_again(hidden: int) -> None:
    account = Account(hidden=hidden)
    converge(account)
    assert account.calls == ONCE


def test_what_another_run_created_at_the_same_time_is_used() -> None:
    account = Account(taken=True)
    shared = converge(account)
    assert account.calls == ONCE
    assert "create role shop-vpx" not in shared.actions


def test_what_is_never_shown_is_a_failure_that_names_it() -> None:
    account = Account(hidden=99)
    with pytest.raises(Failure, match="pair shop: after 8 readings AWS still shows a difference: create role shop-vpx"):
        converge(account)


def test_a_group_that_is_still_in_use_is_waited_for() -> None:
    account = Account(held=3)
    resources(account).delete_security_group("sg-1", "shop-nlb")
    assert account.calls == Counter(DeleteSecurityGroup=4)


def test_the_wait_for_a_group_is_bounded_and_names_its_users() -> None:
    account = Account(held=999)
    with pytest.raises(Failure, match=r"shop-nlb \(sg-1\).*DependencyViolation.*It is used by eni-9"):
        resources(account).delete_security_group("sg-1", "shop-nlb")
    assert account.now == pytest.approx(RELEASE_SECONDS)
