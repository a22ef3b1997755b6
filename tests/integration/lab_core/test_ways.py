"""What clients see of an image that routes by its table: what is lost, and what mends it (aws_vpx.md, section 2a)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.lab_core.site import PASSWORD, Nitro, Site, address_of, neighbour
from tests.integration.lab_core.stubs import connected, is_silent
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


def test_an_image_that_sends_by_source_address_loses_nothing(site: Site, eip: str) -> None:
    """The other value of the setting: neither MBF nor routes are needed."""
    node = site.nodes[0]
    node.post("nsmode", {"mode": ["MBF"]}, action="disable")
    _drop_route(node, _route(site))
    assert _silent(eip, site.port)
    site.lab.settings(nitro={"pessimistic_image": False})
    wait_for(lambda: site.serves(eip), "replies leave by the interface of their source")
    site.lab.settings(nitro={"pessimistic_image": True})


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


def test_an_address_outside_of_the_vpc_is_answered_where_its_route_leads(site: Site) -> None:
    """1.2: the same address on both nodes, a route to one of them, the source/destination check off."""
    ec2, seed = site.ec2, site.lab.state()["seed_data"]
    vip = f"{seed['routed_cidr'].rpartition('.')[0]}.9"
    clients = [
        next(one["NetworkInterfaceId"] for one in each["NetworkInterfaces"] if one["Attachment"]["DeviceIndex"] == 1)
        for each in site.instances
    ]
    for node in site.nodes:
        node.post("nsip", {"ipaddress": vip, "netmask": "255.255.255.255", "type": "VIP"})
        node.post("lbvserver", {"name": "routed", "servicetype": "HTTP", "ipv46": vip, "port": site.port})
        node.put("lbvserver_service_binding", {"name": "routed", "servicename": "s0"})
    subnet = site.variables["ha_pair_nodes"][0]["client_subnet_id"]
    in_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    table = ec2.describe_route_tables(Filters=in_subnet)["RouteTables"][0]["RouteTableId"]
    here = {"RouteTableId": table, "DestinationCidrBlock": f"{vip}/32"}
    ec2.create_route(**here, NetworkInterfaceId=clients[0])
    assert not site.serves(vip), "the check drops what is no address of the interface"
    for interface in clients:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    wait_for(lambda: site.serves(vip), "the first node answers")
    site.nodes[0].post("lbvserver", {"name": "routed"}, action="disable")
    wait_for(lambda: not site.serves(vip), "the first node refuses")
    ec2.replace_route(**here, NetworkInterfaceId=clients[1])
    wait_for(lambda: site.serves(vip), "the second node answers")
    ec2.delete_route(**here)
    wait_for(lambda: not site.serves(vip), "no route, no answer")


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


def test_an_instance_without_power_fails_its_instance_status_check(site: Site) -> None:
    """EC2 guide, status checks: the instance check is of the operating system, the system check of what is under it."""
    instance = site.instances[1]["InstanceId"]

    def checks() -> tuple[str, str]:
        found = site.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]
        return found["InstanceStatus"]["Status"], found["SystemStatus"]["Status"]

    wait_for(lambda: checks() == ("ok", "ok"), "both checks pass", seconds=5)
    site.lab.power(instance, on=False)
    assert checks() == ("impaired", "ok")
    site.lab.power(instance, on=True)
    wait_for(lambda: checks() == ("ok", "ok"), "both checks pass again", seconds=5)
    wait_for(lambda: Nitro(site.lab, site.nodes[1].address).answers(), "NITRO is back", seconds=30)
    assert site.nodes[1].login(PASSWORD) == 0


def test_a_new_primary_moves_the_elastic_ip_itself_where_the_setting_says_so(site: Site, eip: str) -> None:
    """aws_vpx.md, section 1.1: the appliance finds the address that carries the Elastic IP and associates its own."""
    everything = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": site.group}]}]
    site.ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=everything)
    site.lab.settings(nitro={"moves_elastic_ips": "on"})
    a, b = site.nodes
    vip = address_of(site.instances[1], 1)
    a.post("hanode", {"id": 1, "ipaddress": b.address, "inc": "ENABLED"})
    a.post("nsip", {"ipaddress": vip, "netmask": "255.255.255.255", "type": "VIP"})
    b.post("hanode", {"id": 1, "ipaddress": a.address, "inc": "ENABLED"})
    for node in site.nodes:
        node.post("ipset", {"name": "vips"})
        node.put("ipset_nsip_binding", {"name": "vips", "ipaddress": vip})
    a.put("lbvserver", {"name": "web", "ipset": "vips"})
    wait_for(lambda: _state(site, 1) == ("Secondary", "SUCCESS"), "the pair is in step", seconds=10)
    a.post("hafailover", {"force": True}, action="Force")
    wait_for(lambda: _holder(site) == vip, "the new primary has the Elastic IP", seconds=5)
    assert site.serves(eip)


def _state(site: Site, number: int) -> tuple[str, str]:
    ha = site.lab.state()["nitro"][site.instances[number]["InstanceId"]]["ha"]
    return ha["role"], ha["sync"]


def _holder(site: Site) -> str:
    found = site.ec2.describe_addresses(AllocationIds=[site.eip["AllocationId"]])["Addresses"][0]
    return str(found.get("PrivateIpAddress"))


def test_interfaces_have_the_macs_of_ec2_whatever_their_names_are(site: Site) -> None:
    """aws_vpx.md, section 2a, "Interface names": match by MAC, never by position."""
    node, instance = site.nodes[1], site.instances[1]
    ec2 = {one["MacAddress"]: one["Attachment"]["DeviceIndex"] for one in instance["NetworkInterfaces"]}

    def indexes() -> list[int]:
        rows = node.http.get(f"{node.base}/config/Interface", timeout=5).json()["Interface"]
        return [ec2[row["mac"]] for row in rows if row["id"] != "LO/1"]

    assert indexes() == [0, 1, 2]
    site.lab.settings(nitro={"interfaces_by_mac": True})
    assert (sorted(indexes()), indexes() != [0, 1, 2]) == ([0, 1, 2], True)
    site.lab.settings(nitro={"interfaces_by_mac": False})
