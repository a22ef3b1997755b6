"""What a Network Load Balancer carries besides TCP: UDP, TCP and UDP on one port, and TLS that ends there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.group_flows import Kind, built
from tests.lab.client import LabClient
from tests.orphans import left_over
from tests.stage import Stage

from .groups import OTHER_ZONE, Group

pytestmark = pytest.mark.long

KIND = Kind("nlb", "independent")
# application → protocol of the listener, of the target group, of the virtual server on the nodes
CARRIED = {
    "web": ("TCP", "TCP", "HTTP"),
    "shop": ("TCP", "TCP", "HTTP"),
    "names": ("UDP", "UDP", "UDP"),
    "both": ("TCP_UDP", "TCP_UDP", "ANY"),
    "safe": ("TLS", "TCP", "HTTP"),
}


@pytest.fixture
def group(lab: LabClient) -> Group:
    return Group(Stage(lab, quick=True), KIND)


def definition(group: Group) -> dict[str, Any]:
    """The group's applications and three more. What UDP carries is asked for at the port of the first, by TCP."""
    declared = group.definition()["autoscale_group_applications"]
    web = declared[0]
    checked = {"backends": web["backends"], "health_check": {"port": web["port"]}}
    arn = group.lab.boto("acm").request_certificate(DomainName="shop.lab.test")["CertificateArn"]
    more = [
        {"name": "names", "protocol": "UDP", "port": 9053, **checked},
        {"name": "both", "protocol": "ANY", "port": 9054, **checked},
        {
            "name": "safe",
            "protocol": "HTTP",
            "port": 9443,
            "nlb_protocol": "TLS",
            "certificate_arn": arn,
            "backends": web["backends"],
        },
    ]
    return {"autoscale_group_applications": declared + more}


def carried(group: Group) -> dict[str, tuple[str, str, str]]:
    """As ``CARRIED``, of what is there."""
    elb = group.lab.boto("elbv2")
    [balancer] = elb.describe_load_balancers(Names=[KIND.group])["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    at_balancer = {one["DefaultActions"][0]["TargetGroupArn"]: one["Protocol"] for one in listeners}
    on_node = {one["name"]: one["servicetype"] for one in group.rows(group.nodes()[0], "lbvserver")}
    found = {}
    for one in elb.describe_target_groups()["TargetGroups"]:
        name = one["TargetGroupName"].removeprefix(f"{KIND.group}-")
        found[name] = (at_balancer[one["TargetGroupArn"]], one["Protocol"], on_node[name])
    return found


@pytest.mark.timeout(3000)
def test_they_are_deployed_once_and_removed(group: Group) -> None:
    group.begin(built(KIND))
    given = definition(group)
    run = group.play("application", **given)
    assert run.code == 0, run.message
    assert carried(group) == CARRIED
    healthy = dict.fromkeys(group.clients() + group.clients(OTHER_ZONE), "healthy")
    assert {name: group.targets(name) for name in CARRIED} == dict.fromkeys(CARRIED, healthy)

    run = group.play("application", **given)
    assert (run.code, run.writes) == (0, []), run.message

    run = group.play("application", application_name="names", application_state="absent", **given)
    assert run.code == 0, run.message
    assert carried(group) == {name: kinds for name, kinds in CARRIED.items() if name != "names"}

    run = group.play("autoscale_group", autoscale_group_state="absent", **given)
    assert (run.code, left_over(group.lab, KIND.group)) == (0, {}), run.message
