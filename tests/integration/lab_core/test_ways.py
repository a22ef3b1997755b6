"""What clients see of an image that routes by its table: what is lost, and what mends it (aws_vpx.md, section 2a)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.lab_core.site import Nitro, Site, address_of, neighbour
from tests.integration.lab_core.standins import connected, is_silent
from tests.lab.client import LabClient, wait_for


@pytest.fixture(scope="module")
def site(lab: LabClient) -> Iterator[Site]:
    lab.reset()
    lab.pace(60)
    lab.settings(nitro={"pessimistic_image": True})
    yield Site(lab)
    lab.reset()


@pytest.fixture
def eip(site: Site) -> Iterator[str]:
    """The Elastic IP, answered by the first appliance, which has MBF and a route to the back ends again afterwards."""
    address = site.associate(0)
    node = site.nodes[0]
    wait_for(lambda: site.serves(address), "the Elastic IP answers")
    yield address
    node.post("nsmode", {"mode": ["MBF"]}, action="enable")
    if not _routes(node, site):
        node.post("route", _route(site))


def _route(site: Site) -> dict[str, str]:
    back_end = site.variables["ha_pair_application"]["backends"][0]["address"]
    gateway = neighbour(address_of(site.instances[0], 2), 1)
    return {"network": neighbour(back_end, 0), "netmask": "255.255.255.0", "gateway": gateway}


def _routes(node: Nitro, site: Site) -> bool:
    rows = node.http.get(f"{node.base}/config/route", timeout=5).json()["route"]
    return any(row["network"] == _route(site)["network"] for row in rows)


def _drop_route(node: Nitro, route: dict[str, str]) -> None:
    selector = f"netmask:{route['netmask']},gateway:{route['gateway']}"
    assert node.http.delete(f"{node.base}/config/route/{route['network']}?args={selector}", timeout=5).ok


def _silent(address: str, port: int) -> bool:
    with connected(address, port) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return is_silent(connection, 0.4)


def test_without_mbf_replies_to_clients_are_lost_and_with_it_they_arrive(site: Site, eip: str) -> None:
    """2a, "Replies to clients"."""
    node, vip = site.nodes[0], address_of(site.instances[0], 1)
    node.post("nsmode", {"mode": ["MBF"]}, action="disable")
    assert _silent(eip, site.port)
    assert _silent(vip, site.port)
    node.post("nsmode", {"mode": ["MBF"]}, action="enable")
    assert site.serves(eip)
    assert site.serves(vip)


def test_an_applied_policy_based_route_mends_it_as_well(site: Site, eip: str) -> None:
    """2a, "Replies to clients": "without MBF (or a policy-based route, PBR)"; only what is applied counts."""
    node, vip = site.nodes[0], address_of(site.instances[0], 1)
    node.post("nsmode", {"mode": ["MBF"]}, action="disable")
    policy = {"name": "back", "action": "ALLOW", "srcip": True, "srcipop": "=", "srcipval": vip, "nexthop": True}
    node.post("nspbr", {**policy, "nexthopval": neighbour(vip, 1), "priority": 10})
    assert _silent(eip, site.port)
    node.post("nspbrs", {}, action="apply")
    assert site.serves(eip)
    assert node.http.delete(f"{node.base}/config/nspbr/back", timeout=5).ok
    assert _silent(eip, site.port)


def test_back_ends_of_another_subnet_need_a_route(site: Site, eip: str) -> None:
    """2a, "Back ends in another subnet": monitors and connections go by the default route and are dropped."""
    node = site.nodes[0]
    _drop_route(node, _route(site))
    assert not site.serves(eip)
    shown = node.http.get(f"{node.base}/config/lbvserver/web", timeout=5).json()["lbvserver"][0]
    assert shown["curstate"] == "DOWN"
    node.post("route", _route(site))
    wait_for(lambda: site.serves(eip), "the back ends are reached again")


def test_a_subnet_without_internet_gateway_gives_clients_no_answer(site: Site, eip: str) -> None:
    """VPC guide, internet gateways: the reply has no way out of a private subnet."""
    ec2 = site.ec2
    subnet = site.variables["ha_pair_nodes"][0]["client_subnet_id"]
    in_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    table = ec2.describe_route_tables(Filters=in_subnet)["RouteTables"][0]
    own = next(one["RouteTableAssociationId"] for one in table["Associations"] if one.get("SubnetId") == subnet)
    private = site.lab.state()["seed_data"]["private_subnets"]
    application = next(iter(private.values()))["application"]
    closed = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [application]}])
    ec2.disassociate_route_table(AssociationId=own)
    ec2.associate_route_table(RouteTableId=closed["RouteTables"][0]["RouteTableId"], SubnetId=subnet)
    assert _silent(eip, site.port)
    moved = ec2.describe_route_tables(Filters=in_subnet)["RouteTables"][0]
    again = next(one["RouteTableAssociationId"] for one in moved["Associations"] if one.get("SubnetId") == subnet)
    ec2.disassociate_route_table(AssociationId=again)
    ec2.associate_route_table(RouteTableId=table["RouteTableId"], SubnetId=subnet)
    assert site.serves(eip)


def test_nitro_is_silent_where_its_security_groups_do_not_name_the_controller(site: Site) -> None:
    """VPC guide, security groups; the lab asks them about NITRO when ``guarded`` is on."""
    node = site.nodes[1]
    rule = {"IpProtocol": "tcp", "FromPort": site.lab.nitro_port, "ToPort": site.lab.nitro_port}
    rule["IpRanges"] = [{"CidrIp": "127.0.0.1/32"}]
    site.lab.settings(nitro={"guarded": True})
    assert _silent(node.address, site.lab.nitro_port)
    site.ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=[rule])
    assert node.http.get(f"{node.base}/config/nsversion", timeout=5).ok
    site.ec2.revoke_security_group_ingress(GroupId=site.group, IpPermissions=[rule])
    site.lab.settings(nitro={"guarded": False})
