"""The loop of vpx_instance against an account in memory: spent tokens, slow profiles, lagging reads, dying machines."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure, Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_plan import DesiredSet, unreleased
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.instance_set import InstanceSet
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.launch import LaunchSpec

from .fleet import ROLES, association, desired, eip, instance, observed, tagged

GONE = ("shutting-down", "terminated")


def refusal(code: str, operation: str = "RunInstances", message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Pages:
    reply: dict[str, Any]

    def paginate(self, **_filters: Any) -> Pages:
        return self

    def build_full_result(self) -> dict[str, Any]:
        return self.reply


@dataclass
class Account:
    """Just enough of EC2. ``launches``: what RunInstances does at its n-th call (an error, or None: launch);
    ``start``: the states a new instance goes through, one a look; ``invisible``: looks by tag that do not show it;
    ``hidden_tags``: looks that do not show the roles of interfaces."""

    launches: list[ClientError | None] = field(default_factory=list)
    start: tuple[str, ...] = ("pending", "running")
    invisible: int = 0
    machines: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    by_token: dict[str, list[str]] = field(default_factory=dict)
    addresses: dict[str, dict[str, Any]] = field(default_factory=dict)
    quota_error: ClientError | None = None
    hidden_tags: int = 0
    calls: list[str] = field(default_factory=list)
    now: float = 0.0
    before_send: list[Any] = field(default_factory=list)
    unanswered: int = 0
    between_attempts: Callable[[], object] = lambda: None

    @property
    def meta(self) -> Any:
        """What a client of botocore says of its service, and where it takes handlers of its events."""
        handlers = self.before_send
        events = SimpleNamespace(
            register=lambda _event, handler: handlers.append(handler),
            unregister=lambda _event, handler: handlers.remove(handler),
        )
        service = SimpleNamespace(service_id=SimpleNamespace(hyphenize=lambda: "ec2"))
        return SimpleNamespace(events=events, service_model=service)

    def get_paginator(self, name: str) -> Any:
        account = self

        class Paginator:
            def paginate(self, Filters: Any = ()) -> Pages:
                return Pages(getattr(account, name)({f["Name"]: f["Values"] for f in Filters}))

        return Paginator()

    def describe_instances(self, filters: dict[str, list[str]]) -> dict[str, Any]:
        self.calls.append("DescribeInstances")
        ids = filters.get("instance-id")
        if ids is None and self.invisible > 0:
            self.invisible -= 1
            return {"Reservations": []}
        found = []
        for name, machine in self.machines.items():
            if ids is None or name in ids:
                if len(machine["ahead"]) > 1:
                    machine["ahead"].pop(0)
                found.append(self._shown(name, machine))
        return {"Reservations": [{"Instances": found}]}

    def _shown(self, name: str, machine: dict[str, Any]) -> dict[str, Any]:
        state = machine["ahead"][0]
        interfaces = (
            []
            if state in GONE
            else [
                {
                    "NetworkInterfaceId": f"eni-{name}-{index}",
                    "Attachment": {"DeviceIndex": index},
                    "PrivateIpAddress": f"10.0.{index}.{name[2:]}",
                    "SourceDestCheck": True,
                    "PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.{index}.{name[2:]}", "Primary": True}],
                }
                for index in range(3)
            ]
        )
        return {
            "InstanceId": name,
            "State": {"Name": state},
            "Tags": machine["tags"],
            "NetworkInterfaces": interfaces,
            "StateReason": {"Message": "Server.InternalError"} if state in GONE else {},
        }

    def describe_network_interfaces(self, _filters: Any) -> dict[str, Any]:
        self.calls.append("DescribeNetworkInterfaces")
        found = []
        self.hidden_tags -= bool(self.machines) and self.hidden_tags > 0
        for name in self.machines:
            for index, role in enumerate(ROLES):
                tags = [{"Key": "cloudadc:group", "Value": "shop"}]
                tags += [] if self.hidden_tags else [{"Key": "cloudadc:role", "Value": role}]
                found.append({"NetworkInterfaceId": f"eni-{name}-{index}", "PrivateIpAddress": "x", "TagSet": tags})
        return {"NetworkInterfaces": found}

    def describe_addresses(self, **_filters: Any) -> dict[str, Any]:
        self.calls.append("DescribeAddresses")
        return {"Addresses": [dict(address) for address in self.addresses.values()]}

    def describe_instance_types(self, **_filters: Any) -> dict[str, Any]:
        network = {"MaximumNetworkInterfaces": 4, "Ipv4AddressesPerInterface": 15}
        return {"InstanceTypes": [{"NetworkInfo": network}]}

    def describe_images(self, **_filters: Any) -> dict[str, Any]:
        return {"Images": [{"State": "available", "RootDeviceName": "/dev/sda1"}]}

    def describe_subnets(self, **_filters: Any) -> dict[str, Any]:
        return {"Subnets": [{"SubnetId": f"subnet-{r}", "AvailabilityZone": "a", "VpcId": "vpc-1"} for r in ROLES]}

    def describe_account_attributes(self, **_names: Any) -> dict[str, Any]:
        if self.quota_error:
            raise self.quota_error
        values = [{"AttributeValue": "5"}]
        return {"AccountAttributes": [{"AttributeName": "vpc-max-elastic-ips", "AttributeValues": values}]}

    def run_instances(self, **request: Any) -> dict[str, Any]:
        self.calls.append("RunInstances")
        self.requests.append(request)
        if self.launches and (error := self.launches.pop(0)):
            raise error
        ids = self.by_token.setdefault(request["ClientToken"], [])
        if not ids:
            tags = request["TagSpecifications"][0]["Tags"]
            for _turn in range(request["MinCount"]):
                name = f"i-{len(self.machines) + 1}"
                self.machines[name] = {"ahead": list(self.start), "tags": tags}
                ids.append(name)
        return {"Instances": [self._shown(name, self.machines[name]) for name in ids]}

    def terminate_instances(self, InstanceIds: list[str]) -> dict[str, Any]:
        for attempt in range(1, self.unanswered + 2):
            for handler in self.before_send:
                handler(request=SimpleNamespace(headers={"amz-sdk-request": f"attempt={attempt}; max=4"}))
            self.calls.append("TerminateInstances")
            self.between_attempts()
        for name in InstanceIds:
            self.machines[name]["ahead"] = ["shutting-down", "terminated"]
            for address in self.addresses.values():
                if address.get("NetworkInterfaceId", "").startswith(f"eni-{name}-"):
                    del address["NetworkInterfaceId"], address["PrivateIpAddress"]
        return {"TerminatingInstances": [{"InstanceId": name} for name in InstanceIds]}

    def create_tags(self, Resources: list[str], Tags: list[dict[str, str]]) -> None:
        self.calls.append("CreateTags")
        keys = {tag["Key"] for tag in Tags}
        for name in set(Resources) & set(self.machines):
            kept = [tag for tag in self.machines[name]["tags"] if tag["Key"] not in keys]
            self.machines[name]["tags"] = [*kept, *Tags]

    def allocate_address(self, TagSpecifications: Any, **_domain: Any) -> dict[str, Any]:
        self.calls.append("AllocateAddress")
        number = len(self.addresses) + 1
        made = {"PublicIp": f"203.0.113.{number}", "AllocationId": f"eipalloc-{number}"}
        self.addresses[made["AllocationId"]] = {**made, "Tags": TagSpecifications[0]["Tags"]}
        return made

    def associate_address(self, AllocationId: str, **where: Any) -> dict[str, Any]:
        self.calls.append("AssociateAddress")
        where.pop("AllowReassociation")
        self.addresses[AllocationId] |= where
        return {"AssociationId": "eipassoc-1"}

    def release_address(self, AllocationId: str) -> None:
        self.calls.append("ReleaseAddress")
        del self.addresses[AllocationId]

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def the_set(account: Account, requested: DesiredSet | None = None, **more: Any) -> InstanceSet:
    options: dict[str, Any] = {"wait": True, "wait_timeout": 60, "warn": warnings_of(account).append, **more}
    return InstanceSet(
        account,
        requested or desired(),
        LaunchSpec("ami-1", "m5.xlarge"),
        clock=lambda: account.now,
        sleep=account.sleep,
        **options,
    )


def warnings_of(account: Account) -> list[str]:
    found: list[str] = account.__dict__.setdefault("warnings", [])
    return found


def converge(instances: InstanceSet) -> list[str]:
    """Return the ids and states of what is live afterwards."""
    return [f"{i.instance_id} {i.state}" for i in instances.converge(instances.observation()).live]


@pytest.fixture(autouse=True)
def no_real_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def test_launched_awaited_and_counted_although_a_search_does_not_show_it_yet() -> None:
    account = Account(invisible=3)
    assert converge(the_set(account)) == ["i-1 running"]
    assert account.calls.count("RunInstances") == 1


def test_a_run_repeated_before_its_instances_are_visible_does_not_launch_twice() -> None:
    account = Account()
    converge(the_set(account))
    account.invisible = 1
    assert converge(the_set(account)) == ["i-1 running"]
    assert account.calls.count("RunInstances") == 2
    assert len(account.machines) == 1
    assert len({request["ClientToken"] for request in account.requests}) == 1


@pytest.mark.parametrize("error", [refusal("IdempotentInstanceTerminated"), None], ids=["refused", "gone instances"])
def test_a_token_that_is_spent_is_followed_by_the_next(error: ClientError | None) -> None:
    """EC2 refuses a token whose instance was terminated, or answers with the instance that is gone."""
    account = Account(launches=[error])
    account.by_token["event-1"] = ["i-1"]
    account.machines["i-1"] = {"ahead": ["terminated"], "tags": [{"Key": "cloudadc:group", "Value": "shop"}]}
    assert converge(the_set(account, token="event-1")) == ["i-2 running"]
    assert [request["ClientToken"] for request in account.requests] == ["event-1", "event-1-1"]


def test_a_token_that_was_used_for_another_launch_waits_for_that_to_show() -> None:
    account = Account(launches=[refusal("IdempotentParameterMismatch")])
    assert converge(the_set(account, token="event-1")) == ["i-1 running"]
    assert [request["ClientToken"] for request in account.requests] == ["event-1", "event-1-1"]
    assert account.now >= 5


def test_tokens_do_not_go_on_for_ever() -> None:
    account = Account(launches=[refusal("IdempotentInstanceTerminated")] * 20)
    with pytest.raises(Failure, match="instances that are gone; give a client_token"):
        converge(the_set(account))
    assert len(account.machines) == 0


def test_a_new_instance_profile_is_waited_for() -> None:
    slow = refusal(
        "InvalidParameterValue",
        message="Value (vpx) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
    )
    account = Account(launches=[slow, slow, None])
    assert converge(the_set(account)) == ["i-1 running"]
    assert 0 < account.now < 60
    never = Account(launches=[slow] * 100)
    with pytest.raises(AwsError, match="Invalid IAM Instance Profile name"):
        converge(the_set(never, wait_timeout=600))
    assert never.now == pytest.approx(60)


def test_any_other_refusal_ends_it_at_once() -> None:
    account = Account(launches=[refusal("InsufficientInstanceCapacity")])
    with pytest.raises(AwsError) as refused:
        converge(the_set(account))
    assert refused.value.code == "InsufficientInstanceCapacity"
    assert account.now == 0


def test_an_instance_that_dies_while_it_starts_ends_the_wait_with_its_reason() -> None:
    instances = the_set(Account(start=("pending", "terminated")))
    with pytest.raises(Failure, match=r"i-1 is terminated and will never be running: Server\.InternalError"):
        converge(instances)
    assert instances.journal.result()["launched"] == ["i-1"], "what was written is told all the same"
    assert instances.journal.result()["changed"]


def test_the_deadline_names_the_last_state() -> None:
    account = Account(start=("pending",))
    with pytest.raises(Failure, match="group shop: waited 60 s for instances to be running, but i-1 is pending"):
        converge(the_set(account))
    assert account.now == pytest.approx(60)


def test_without_wait_it_does_not() -> None:
    account = Account(start=("pending",))
    assert converge(the_set(account, wait=False)) == ["i-1 pending"]
    assert account.now == 0


MANAGED = {"management": {"elastic_ip": True}}


def test_elastic_ips_come_and_go_with_their_instance() -> None:
    account = Account()
    converge(the_set(account, desired(of_role=MANAGED)))
    (address,) = list(account.addresses.values())
    assert (address["NetworkInterfaceId"], address["PrivateIpAddress"]) == ("eni-i-1-0", "10.0.0.1")
    assert converge(the_set(account, desired("absent"), wait=False)) == []
    assert account.addresses == {}
    order = [call for call in account.calls if call in ("TerminateInstances", "ReleaseAddress")]
    assert order == ["TerminateInstances", "ReleaseAddress"]


def test_an_unknown_quota_is_a_warning_and_no_obstacle() -> None:
    account = Account(quota_error=refusal("UnauthorizedOperation", "DescribeAccountAttributes"))
    assert converge(the_set(account, desired(of_role=MANAGED))) == ["i-1 running"]
    assert "UnauthorizedOperation" in warnings_of(account)[0]


def test_one_of_ours_on_a_foreign_interface_is_named() -> None:
    held, idle, foreign = eip(1, association("i-9", 0)), eip(2), eip(3, association("i-9", 1), None)
    assert unreleased(desired("absent"), observed(addresses=(held, idle, foreign))) == [held]
    serving = eip(4, association("i-1", 0))
    assert unreleased(desired("absent"), observed(instance("i-1"), addresses=(held, serving))) == [held], (
        "that one stays"
    )
    others = observed(addresses=(held, serving), interfaces=tagged(instance("i-1")))
    assert unreleased(desired("absent", instance_ids=("i-2",)), others) == [held], "of a node that was not to go"


def test_no_id_is_no_instance_and_not_every_one() -> None:
    account = Account()
    converge(the_set(account))
    account.calls.clear()
    assert converge(the_set(account, desired("absent", instance_ids=()))) == []
    assert "DescribeInstances" not in account.calls
    assert "TerminateInstances" not in account.calls


def test_what_was_written_and_does_not_show_yet_is_not_written_at_once_again() -> None:
    account = Account(hidden_tags=2)
    assert converge(the_set(account)) == ["i-1 running"]
    assert account.calls.count("CreateTags") <= 3 * 2
    never = Account(hidden_tags=1000)
    with pytest.raises(Failure, match="does not settle: after 8 rounds there is still to do: tag eni-i-1-0"):
        converge(the_set(never))
    assert never.now > 5


def test_what_does_not_settle_is_told() -> None:
    account = Account()
    account.associate_address = lambda **_where: {}  # type: ignore[method-assign]
    with pytest.raises(
        Failure, match=r"203\.0\.113\.1 .*was sent to eni-i-1-0 .* but is still associated with nothing"
    ):
        converge(the_set(account, desired(of_role=MANAGED)))


def between_decision_and_write(account: Account, **tags: str) -> None:
    """Let another writer tag the instance i-1 after the set was read, before it is terminated."""

    def describe(filters: dict[str, list[str]], original: Any = account.describe_instances) -> dict[str, Any]:
        if filters.get("instance-id") == ["i-1"]:
            listed = [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()]
            Account.create_tags(account, ["i-1"], listed)
        found: dict[str, Any] = original(filters)
        return found

    account.describe_instances = describe  # type: ignore[method-assign]


def there(account: Account, count: int = 1) -> None:
    for number in range(1, count + 1):
        tags = [{"Key": "cloudadc:group", "Value": "shop"}, {"Key": "cloudadc:lifecycle", "Value": "joining"}]
        account.machines[f"i-{number}"] = {"ahead": ["running"], "tags": tags}


def test_a_removal_refuses_an_instance_that_changed_hands_since_it_was_read() -> None:
    account = Account()
    there(account)
    gone = the_set(account, desired("absent", kind="group"))
    observed_before = gone.observation()
    between_decision_and_write(account, kind="pair")
    with pytest.raises(Refusal, match="i-1 does not belong to group shop: its tag cloudadc:kind is 'pair'"):
        gone.converge(observed_before)
    assert "TerminateInstances" not in account.calls


def test_a_removal_refuses_an_instance_that_was_taken_from_its_event() -> None:
    account = Account()
    there(account)
    marked = [{"Key": "cloudadc:event", "Value": "e-1"}, {"Key": "cloudadc:lifecycle", "Value": "terminating"}]
    account.create_tags(["i-1"], marked)
    gone = the_set(account, desired("absent", event="e-1"))
    observed_before = gone.observation()
    between_decision_and_write(account, event="e-2")
    with pytest.raises(Refusal, match="i-1 is not marked for event e-1"):
        gone.converge(observed_before)
    assert "TerminateInstances" not in account.calls


@pytest.mark.parametrize("late", [1, 9])
def test_removal_reads_again_what_it_read_before_a_pause(late: int) -> None:
    """The process is stopped for an hour while an answer is on its way; meanwhile the instance gets another event."""
    account = Account()
    there(account)
    account.create_tags(["i-1"], [{"Key": "cloudadc:event", "Value": "e-1"}])
    gone = the_set(account, desired("absent", kind="group"))
    observed_before = gone.observation()
    describe, pauses = account.describe_instances, iter([3600.0] * late)

    def held(filters: dict[str, list[str]]) -> dict[str, Any]:
        found: dict[str, Any] = copy.deepcopy(describe(filters))
        pause = next(pauses, 0.0)
        if pause:
            account.now += pause
            Account.create_tags(account, ["i-1"], [{"Key": "cloudadc:kind", "Value": "pair"}])
        return found

    account.describe_instances = held  # type: ignore[method-assign]
    said = "does not belong to group shop" if late == 1 else "too old to terminate them by"
    with pytest.raises(Failure, match=said):
        gone.converge(observed_before)
    assert "TerminateInstances" not in account.calls


@pytest.mark.parametrize(
    ("state", "tags", "sentence"),
    [
        ("absent", {"kind": "pair"}, "does not belong to group shop"),
        ("absent", {"event": "e-2"}, "is not marked for event e-1"),
        ("absent", {"lifecycle": "in_service"}, "its lifecycle is in_service"),
    ],
)
def test_unanswered_termination_is_not_repeated_for_an_instance_that_changed_hands(
    state: str, tags: dict[str, str], sentence: str
) -> None:
    account = Account(unanswered=1)
    there(account)
    marked = {"event": "e-1", "lifecycle": "terminating"}
    account.create_tags(["i-1"], [{"Key": f"cloudadc:{key}", "Value": value} for key, value in marked.items()])
    gone = the_set(account, desired(state, kind="group", event="e-1"))
    found = [{"Key": f"cloudadc:{key}", "Value": value} for key, value in tags.items()]
    account.between_attempts = lambda: account.create_tags(["i-1"], found)
    with pytest.raises(Refusal, match=sentence) as told:
        gone.converge(gone.observation())
    assert "may still be carried out" in str(told.value)
    assert account.calls.count("TerminateInstances") == 1
    assert account.before_send == []


def test_a_surplus_that_came_into_service_since_it_was_read_is_chosen_anew() -> None:
    account = Account()
    there(account, 2)
    fewer = the_set(account, desired(count=1))
    account.machines["i-2"]["tags"].append({"Key": "cloudadc:node_id", "Value": "0"})
    observed_before = fewer.observation()
    between_decision_and_write(account, lifecycle="in_service")
    fewer.converge(observed_before)
    assert fewer.journal.terminated == ["i-2"]
