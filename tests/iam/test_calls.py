"""Each action of each shipped policy at its call: own resources permitted, others' refused, and the action named.

Nothing is carried out: IAM decides, and what it permits ends with an error inside the service.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError, aws_call
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.shared_resources import RoleSpec, policy_of
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.identity import Owner
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.rights import Scope, narrowed
from tests.iam.calls import CALLS, LEFT_TO_PLAYBOOKS, Call
from tests.iam.fleet import BOUNDARY, BUCKET, NUMBER, TABLE, Account, Fleet, document
from tests.iam.shipped import POLICIES, Statement, actions, without

CONTROLLERS = sorted(
    path.stem
    for path in POLICIES.glob("*.json")
    if not path.stem.startswith("appliance_") and path.stem != "permissions_boundary"
)
APPLIANCES = sorted(path.stem for path in POLICIES.glob("appliance_*.json"))
OF_A_PAIR = {"ha_pair", "ha_failover", "managed_role", "backup", "restore"}
NAMES = {"pair": "edge", "group": "shop"}
CREATING = {f"ec2:{name}" for name in ("AllocateAddress", "CreateSecurityGroup", "RunInstances")} | {
    f"elasticloadbalancing:Create{name}" for name in ("LoadBalancer", "TargetGroup", "Listener")
}
#: Services of the vendor's lists whose actions are not those of an appliance's addresses.
OF_THE_VENDOR = ("autoscaling", "cloudwatch", "sns", "sqs")


def shipped(name: str) -> list[Statement]:
    found: list[Statement] = json.loads((POLICIES / f"{name}.json").read_text())["Statement"]
    return found


class World:
    """One account with own resources of either kind, of an earlier release (no kind), and of strangers."""

    def __init__(self) -> None:
        self.account = account = Account((POLICIES / "permissions_boundary.json").read_text())
        self.user, self.clients = account.user()
        self.own = {kind: account.fleet(name, _tags(name, kind)) for kind, name in NAMES.items()}
        self.kindless = {
            kind: account.fleet(name, {"cloudadc:group": name}, role=False) for kind, name in NAMES.items()
        }
        others = {kind: account.fleet(f"other-{kind}", _tags("other", kind), table="theirs") for kind in NAMES}
        bare = account.fleet("bare", {}, table="theirs")
        self.strangers = {kind: (others[kind], bare) for kind in NAMES}
        swapped = {"pair": "group", "group": "pair"}
        self.other_kind = {
            kind: account.fleet(name, _tags(name, swapped[kind]), role=False) for kind, name in NAMES.items()
        }

    def scope(self, kind: str, **more: Any) -> Scope:
        own = self.own[kind]
        backups = (BUCKET, (own.backups,))
        scope = Scope((own.name,), NUMBER, "aws", BOUNDARY, (), self.account.zone, (own.record,), TABLE, *backups)
        scope = replace(scope, topic=own.topic, bus=own.name)
        return replace(scope, **more)

    def refused(self, action: str, call: Call, fleet: Fleet, clients: Any = None) -> str | None:
        """Return the action that the message names as missing, None if the call is permitted."""

        @aws_call("try {action}", retries=1)
        def attempt(client: Any, action: str) -> None:
            call.make(client, action, fleet)

        named, sentence = None, ""
        with self.account.enforced():
            try:
                attempt(clients or self.clients, action)
            except AwsError as error:
                named, sentence = error.missing, error.text()
        assert named is None or f"The action {named} is missing" in sentence
        return named

    def mine(self, kind: str, action: str) -> Collection[Fleet]:
        """Return the own fleet and, where the action changes what exists, what an earlier release made of it."""
        creates = action in CREATING or not action.startswith(("ec2:", "elasticloadbalancing:"))
        return (self.own[kind], *([] if creates else [self.kindless[kind]]))

    def strange(self, kind: str, action: str) -> Collection[Fleet]:
        """Return what the action must not reach. Roles, records and tables are limited by name, which kinds share."""
        if not CALLS[action].limited:
            return ()
        if action == "iam:PassRole":  # to an own instance
            return [replace(self.own[kind], name=stranger.name) for stranger in self.strangers[kind]]
        tagged = action.startswith(("ec2:", "elasticloadbalancing:"))
        return (*self.strangers[kind], *([self.other_kind[kind]] if tagged else []))

    def violations(self, kind: str, granted: Collection[str], clients: Any = None) -> dict[str, str]:
        """Return own calls that are refused and others' that are permitted, or refused for want of another action."""
        wrong = {}
        for action in granted:
            for own in self.mine(kind, action):
                if named := self.refused(action, CALLS[action], own, clients):
                    wrong[f"{action} {dict(own.tags)}"] = f"own: {named} is refused"
            for stranger in self.strange(kind, action):
                named = self.refused(action, CALLS[action], stranger, clients)
                if named != action:
                    wrong[f"{action} {stranger.name} {dict(stranger.tags)}"] = f"a stranger's: {named} is refused"
        return wrong


def _tags(name: str, kind: str) -> dict[str, str]:
    return {"cloudadc:group": name, "cloudadc:kind": kind}


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def documents(world: World, policy: str, kind: str, less: str = "") -> list[str]:
    """Return the policy, narrowed to the own fleet of this kind, and what is attached beside it."""
    beside = {"managed_role": ["ha_pair"], "ha_pair": ["managed_role"], "autoscale_group": ["managed_role"]}
    names = [policy, *beside.get(policy, [])]
    found = [narrowed({"Statement": shipped(name)}, world.scope(kind))["Statement"] for name in names]
    return [document(without(less, statements) if less else statements) for statements in found]


def permitted(policy: str) -> list[str]:
    granted = [one for one in shipped(policy) if one["Effect"] == "Allow"]
    return sorted(actions(granted) - LEFT_TO_PLAYBOOKS)


@pytest.mark.parametrize("policy", CONTROLLERS)
def test_controller_acts_on_its_own_resources_only(world: World, policy: str) -> None:
    kind = "pair" if policy in OF_A_PAIR else "group"
    world.account.permit(world.user, documents(world, policy, kind))
    assert world.violations(kind, permitted(policy)) == {}


@pytest.mark.parametrize("policy", CONTROLLERS)
def test_refusal_names_the_missing_action(world: World, policy: str) -> None:
    kind = "pair" if policy in OF_A_PAIR else "group"
    wrong = {}
    for action in permitted(policy):
        world.account.permit(world.user, documents(world, policy, kind, action))
        named = world.refused(action, CALLS[action], world.own[kind])
        if named != action:
            wrong[action] = named
    assert not wrong, wrong


@pytest.mark.parametrize("policy", APPLIANCES)
def test_appliance_acts_on_its_own_resources_only(world: World, policy: str) -> None:
    """By the policy that the role gets, within the permissions boundary."""
    kind = "pair" if policy.startswith("appliance_ha") else "group"
    own, iam = world.own[kind], world.account.root.client("iam")
    role = RoleSpec({"Version": "2012-10-17", "Statement": shipped(policy)}, "appliance", elastic_ips=[])
    text = json.dumps(policy_of(Owner(own.name, kind), role, f"arn:aws:iam::{NUMBER}:role/{own.role}"))
    iam.put_role_policy(RoleName=own.role, PolicyName="appliance", PolicyDocument=text)
    granted = [action for action in permitted(policy) if not action.startswith(OF_THE_VENDOR)]
    assert world.violations(kind, granted, world.account.session(own.role)) == {}


def test_own_untagged_elastic_ip_moves_only_if_it_is_named(world: World) -> None:
    """An address that the user allocated carries no tag of ours, so a policy permits it by its id."""
    [_other, bare] = world.strangers["pair"]
    given = replace(world.own["pair"], address=bare.address)
    call, action = CALLS["ec2:AssociateAddress"], "ec2:AssociateAddress"
    for addresses, expected in (((), action), ((bare.address,), None)):
        policy = narrowed({"Statement": shipped("ha_failover")}, world.scope("pair", elastic_ips=addresses))
        world.account.permit(world.user, [document(policy["Statement"])])
        assert world.refused(action, call, given) == expected


def test_every_action_of_a_policy_has_a_call() -> None:
    granted = {action for name in (*CONTROLLERS, *APPLIANCES) for action in permitted(name)}
    assert {action for action in granted if not action.startswith(OF_THE_VENDOR)} <= set(CALLS)
