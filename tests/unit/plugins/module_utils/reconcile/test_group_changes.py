"""Changes of the definition of a group that has nodes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.addresses import Address, Association, Interface
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.instances import Attached, Instance
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile import group_changes as changes
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.group_reading import Nodes, read_other_domains
from tests.contract.groups import ZONE, group

HEARTBEATS = {"IpProtocol": "udp", "FromPort": 7000, "ToPort": 7000, "UserIdGroupPairs": [{"GroupId": "sg-m"}]}
FOREIGN = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
IDS = {"management": "sg-m", "client": "sg-c", "server": "sg-s"}
WITH_NLB = {**IDS, "nlb": "sg-n"}


def node(number: int, zone: str, lifecycle: str = "in_service") -> Instance:
    tags = {"cloudadc:group": "shop", "cloudadc:zone": zone, "cloudadc:lifecycle": lifecycle}
    interfaces = tuple(Attached(f"eni-{number}{index}", index, (f"10.0.{index}.{number}",)) for index in range(3))
    return Instance(f"i-{number}", "running", zone, tags=tags, interfaces=interfaces)


def nodes(*instances: Instance, rules: tuple[dict[str, Any], ...] = (FOREIGN,), **more: Any) -> Nodes:
    return Nodes(instances, security_groups=[{"GroupId": "sg-m", "IpPermissions": list(rules)}], **more)


def cluster(distributor: str = "nlb") -> dict[str, Any]:
    return group(distributor, "cluster", zones=[{**ZONE, "clip": "10.0.1.9"}])


def zone_names(definition: dict[str, Any]) -> list[str]:
    return [zone["name"] for zone in definition["zones"]]


def test_group_without_nodes_may_be_defined_anyhow() -> None:
    assert changes.definition_problems(cluster("dns"), Nodes(), WITH_NLB) == []


def test_group_as_it_was_built_has_no_problem() -> None:
    definition = group()
    zone = zone_names(definition)[0]
    assert changes.definition_problems(definition, nodes(node(1, zone)), WITH_NLB) == []


def test_dropped_zone_is_refused_by_name_with_its_nodes() -> None:
    definition = group()
    there = nodes(node(1, zone_names(definition)[0]), node(2, "zone-z"), node(3, "zone-z"))
    [problem] = changes.definition_problems(definition, there, WITH_NLB)
    assert "does not name zone-z any more, where 2 nodes (i-2, i-3) of this group run" in problem
    assert "autoscale_group_remove_zones=true" in problem
    assert changes.definition_problems(group(remove_zones=True), there, WITH_NLB) == []


def test_removal_of_a_zone_names_everything_of_its_nodes_and_nothing_of_others() -> None:
    definition = group(remove_zones=True)
    kept = zone_names(definition)[0]
    there = nodes(node(1, kept), node(2, "zone-z"))
    targets = [{"id": "10.0.1.1", "port": 80, "state": "healthy"}, {"id": "10.0.1.2", "port": 80, "state": "healthy"}]
    target_groups = [{"application": "web", "target_group_arn": "arn", "targets": targets}]
    records = {"www.example.com": [{"identifier": "i-1"}, {"identifier": "i-2"}]}
    removal = changes.zone_removal(definition, there, target_groups, records)
    assert removal["zones"] == ["zone-z"]
    assert removal["sets"] == [{"zone": "zone-z", "instance_ids": ["i-2"]}]
    assert removal["target_groups"] == [{"target_group_arn": "arn", "targets": [{"id": "10.0.1.2", "port": 80}]}]
    assert removal["record_sets"] == [{"record": "www.example.com", "nodes": [{"identifier": "i-2"}]}]
    assert removal["devices"] == ["10.0.0.2"]
    assert removal["pause_seconds"] == 0


def test_nodes_that_clients_know_by_dns_go_on_for_ttl_and_drain() -> None:
    definition = group("dns", remove_zones=True)
    policy = {**definition["policy"], "ttl": 60, "drain_timeout": 2}
    removal = changes.zone_removal({**definition, "policy": policy}, nodes(node(2, "zone-z")), [], {})
    assert removal["pause_seconds"] == 60 + 120


def test_without_the_option_no_zone_is_removed() -> None:
    removal = changes.zone_removal(group(), nodes(node(2, "zone-z")), [], {})
    assert (removal["zones"], removal["sets"], removal["devices"]) == ([], [], [])


def test_maximum_below_what_runs_is_refused_and_draining_nodes_do_not_count() -> None:
    definition = group()
    zone = zone_names(definition)[0]
    definition = {**definition, "policy": {**definition["policy"], "max_nodes": 1}}
    there = nodes(node(1, zone), node(2, zone), node(3, zone, "draining"))
    [problem] = changes.definition_problems(definition, there, WITH_NLB)
    assert f"Zone {zone} has 2 nodes, and autoscale_group_policy.max_nodes is 1. Remove 1 first" in problem
    assert f"-e scale_in_zone={zone} and -e scale_in_count=1" in problem
    assert changes.definition_problems(definition, nodes(node(1, zone)), WITH_NLB) == []


def test_another_distributor_is_refused() -> None:
    zone = zone_names(group())[0]
    [problem] = changes.definition_problems(group("dns"), nodes(node(1, zone)), WITH_NLB)
    assert "The group is distributed by nlb, and autoscale_group_distributor is dns." in problem
    tags = {"cloudadc:group": "shop", "cloudadc:role": "client"}
    public = Address("203.0.113.1", "eipalloc-1", Association("eni-11", "10.0.1.1"), tags=tags)
    name = group()["name"]
    public = Address("203.0.113.1", "eipalloc-1", public.association, tags={**tags, "cloudadc:group": name})
    [problem] = changes.definition_problems(group("nlb"), nodes(node(1, zone), addresses=(public,)), IDS)
    assert "The group is distributed by dns, and autoscale_group_distributor is nlb." in problem


def test_load_balancer_that_was_deleted_with_its_security_group_is_built_again() -> None:
    zone = zone_names(group())[0]
    assert changes.definition_problems(group("nlb"), nodes(node(1, zone)), IDS) == []


def test_another_topology_is_refused() -> None:
    zone = zone_names(group())[0]
    cluster_rules = tuple(
        {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "UserIdGroupPairs": [{"GroupId": "sg-m"}]}
        for protocol, first, last in sorted(changes._rules_of("cluster", cluster()))
    )
    there = nodes(node(1, zone), rules=cluster_rules)
    [problem] = changes.definition_problems(group("nlb", "independent"), there, WITH_NLB)
    assert "are of topology cluster, and autoscale_group_topology is independent." in problem
    [problem] = changes.definition_problems(cluster(), nodes(node(1, zone)), WITH_NLB)
    assert "are of topology independent, and autoscale_group_topology is cluster." in problem
    assert changes.definition_problems(cluster(), there, WITH_NLB) == []


@pytest.mark.parametrize("rules", [(), (HEARTBEATS,)])
def test_rule_of_a_cluster_that_was_removed_by_hand_is_no_change_of_topology(rules: tuple[dict[str, Any], ...]) -> None:
    zone = zone_names(group())[0]
    clip = Interface("eni-10", ("10.0.0.1", "10.0.0.9"), "i-1", 0)
    there = nodes(node(1, zone), rules=rules, clips=(clip,))
    assert changes.definition_problems(cluster(), there, WITH_NLB) == []


class HostedZone:
    """A client of Route 53 with one record set a page."""

    def __init__(self, *records: tuple[str, str]) -> None:
        self.records = [{"Name": name, "Type": "A", "SetIdentifier": identifier} for name, identifier in records]
        self.calls = 0

    def list_resource_record_sets(self, HostedZoneId: str, StartRecordName: str = "0", **_more: str) -> dict[str, Any]:
        self.calls += 1
        at = int(StartRecordName)
        following = {"IsTruncated": True, "NextRecordName": str(at + 1)} if at + 1 < len(self.records) else {}
        return {"ResourceRecordSets": self.records[at : at + 1], **following}


def test_former_domain_of_an_application_is_known_by_the_nodes_of_its_record_sets() -> None:
    zone = HostedZone(("www.example.com.", "i-1"), ("old.example.com.", "i-1"), ("mail.example.com.", "i-9"))
    assert read_other_domains(zone, "Z1", ["WWW.example.com"], {"i-1"}) == ["old.example.com"]
    assert zone.calls == 3
