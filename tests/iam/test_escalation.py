"""A holder of the right to create the appliances' role does not become administrator: each step to it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights import Scope, narrowed
from tests.iam.calls import CALLS
from tests.iam.fleet import BOUNDARY, NUMBER, TRUST, Account, Fleet, document
from tests.iam.shipped import POLICIES
from tests.lab.inprocess import Clients

EVERYTHING = document([{"Effect": "Allow", "Action": "*", "Resource": "*"}])
ROLE = f"arn:aws:iam::{NUMBER}:role/edge-vpx"


class Attacker:
    """Holds the policies of playbook ha_pair for the pair edge. ``iam``: with the attacker's key; calls are real."""

    def __init__(self, account: Account, own: Fleet, *, narrow: bool) -> None:
        self.account, self.own = account, own
        scope = Scope(("edge",), NUMBER, "aws", BOUNDARY) if narrow else Scope()
        user, self.clients = account.user()
        policies = [json.loads((POLICIES / f"{name}.json").read_text()) for name in ("ha_pair", "managed_role")]
        account.permit(user, [document(narrowed(policy, scope)["Statement"]) for policy in policies])

    def refused(self, service: str, operation: str, **parameters: Any) -> str | None:
        return refused(self.clients, service, operation, **parameters)


def refused(clients: Clients, service: str, operation: str, **parameters: Any) -> str | None:
    """Return the message of a refusal for want of rights, None if the call was carried out."""
    try:
        getattr(clients.client(service), operation)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "UnauthorizedOperation"):
            return str(error)
        raise
    return None


@pytest.fixture(scope="module")
def account() -> Account:
    return Account((POLICIES / "permissions_boundary.json").read_text())


@pytest.fixture(scope="module")
def own(account: Account) -> Fleet:
    return account.fleet("edge", {"cloudadc:group": "edge", "cloudadc:kind": "pair"})


@pytest.fixture(scope="module", params=["as shipped", "narrowed"])
def attacker(account: Account, own: Fleet, request: pytest.FixtureRequest) -> Iterator[Attacker]:
    found = Attacker(account, own, narrow=request.param == "narrowed")
    iam = account.root.client("iam")
    for name in ("admin", "admin-vpx"):
        if not _exists(iam, name):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
            iam.create_instance_profile(InstanceProfileName=name)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    with account.enforced(carry_out=True):
        yield found


def _exists(iam: Any, role: str) -> bool:
    return role in {one["RoleName"] for one in iam.list_roles()["Roles"]}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_role", {"RoleName": "new-vpx", "AssumeRolePolicyDocument": TRUST}),
        (
            "create_role",
            {
                "RoleName": "new-vpx",
                "AssumeRolePolicyDocument": TRUST,
                "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess",
            },
        ),
        ("delete_role_permissions_boundary", {"RoleName": "edge-vpx"}),
        (
            "put_role_permissions_boundary",
            {"RoleName": "edge-vpx", "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        ("create_policy_version", {"PolicyArn": BOUNDARY, "PolicyDocument": EVERYTHING, "SetAsDefault": True}),
        ("set_default_policy_version", {"PolicyArn": BOUNDARY, "VersionId": "v1"}),
        ("delete_policy", {"PolicyArn": BOUNDARY}),
        ("update_assume_role_policy", {"RoleName": "admin", "PolicyDocument": TRUST}),
        ("update_assume_role_policy", {"RoleName": "admin-vpx", "PolicyDocument": TRUST}),
        ("put_role_policy", {"RoleName": "admin-vpx", "PolicyName": "a", "PolicyDocument": EVERYTHING}),
        ("put_role_policy", {"RoleName": "admin", "PolicyName": "a", "PolicyDocument": EVERYTHING}),
        ("attach_role_policy", {"RoleName": "edge-vpx", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("add_role_to_instance_profile", {"InstanceProfileName": "edge-vpx", "RoleName": "admin"}),
        ("put_user_policy", {"UserName": "user-1", "PolicyName": "a", "PolicyDocument": EVERYTHING}),
    ],
    ids=lambda value: value if isinstance(value, str) else value.get("RoleName", ""),
)
def test_way_to_other_rights_is_refused(attacker: Attacker, operation: str, parameters: dict[str, Any]) -> None:
    assert attacker.refused("iam", operation, **parameters)


def test_other_role_cannot_be_passed_to_an_instance(attacker: Attacker) -> None:
    launch = CALLS["iam:PassRole"].parameters
    said = attacker.refused("ec2", "run_instances", **launch(replace(attacker.own, name="admin")) | _admin("admin"))
    assert "iam:PassRole" in str(said)


def _admin(profile: str) -> dict[str, Any]:
    return {"IamInstanceProfile": {"Name": profile}}


def test_other_role_of_the_naming_can_be_passed_unless_the_policy_is_narrowed(account: Account, own: Fleet) -> None:
    """What remains with the policy as shipped, and the reason to narrow it (docs/security.md)."""
    launch = CALLS["iam:PassRole"].parameters(own) | _admin("admin-vpx") | {"DryRun": True}
    if not _exists(account.root.client("iam"), "admin-vpx"):
        pytest.fail("the fixture of the role did not run")
    narrow, wide = (Attacker(account, own, narrow=narrow) for narrow in (True, False))
    with account.enforced(carry_out=True):
        assert "iam:PassRole" in str(narrow.refused("ec2", "run_instances", **launch))
        with pytest.raises(ClientError, match="DryRunOperation"):
            wide.clients.client("ec2").run_instances(**launch)


def test_all_rights_written_into_the_own_role_are_worth_no_more_than_the_boundary(attacker: Attacker) -> None:
    """The one thing that must be permitted: the policy of the own role. Its session still may nothing else."""
    everything = {"PolicyName": "all", "PolicyDocument": EVERYTHING}
    assert attacker.refused("iam", "put_role_policy", RoleName="edge-vpx", **everything) is None
    session = attacker.account.session("edge-vpx")
    assert "no permissions boundary allows the iam:CreateUser action" in str(
        refused(session, "iam", "create_user", UserName="mallory")
    )
    assert refused(session, "iam", "put_role_policy", RoleName="admin", **everything)
    assert refused(session, "ec2", "terminate_instances", InstanceIds=[attacker.own.instance])
    assert refused(session, "ec2", "describe_addresses") is None


def test_role_of_an_earlier_release_comes_under_the_boundary(attacker: Attacker) -> None:
    """It has none, so nothing of it can be changed before; what another team tagged is left alone."""
    iam = attacker.account.root.client("iam")
    if _exists(iam, "old-vpx"):
        iam.delete_role(RoleName="old-vpx")
    tags = [{"Key": "cloudadc:group", "Value": "edge"}]
    user, clients = attacker.account.user()
    policy = json.loads((POLICIES / "managed_role.json").read_text())
    attacker.account.permit(user, [document(narrowed(policy, Scope(("edge", "old"), NUMBER))["Statement"])])
    iam.create_role(RoleName="old-vpx", AssumeRolePolicyDocument=TRUST, Tags=tags)
    change = {"RoleName": "old-vpx", "Description": "changed"}
    assert refused(clients, "iam", "update_role", **change)
    limit = {"PermissionsBoundary": BOUNDARY}
    assert refused(clients, "iam", "put_role_permissions_boundary", RoleName="old-vpx", **limit) is None
    assert refused(clients, "iam", "update_role", **change) is None
    assert refused(clients, "iam", "put_role_permissions_boundary", RoleName="admin-vpx", **limit)
