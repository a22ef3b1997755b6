"""The region's network as packets see it: made from what the API was told, and made anew when it changes."""

from __future__ import annotations

from tests.integration.lab_aws.conftest import Account, Network, launch
from tests.lab.packets.vpc import Target


def test_routes_of_a_subnet_are_those_of_its_table_or_of_the_main_one(account: Account, network: Network) -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html"""
    ec2, side = account.ec2, account.side
    management, client = network.subnets["a"]["management"], network.subnets["a"]["client"]
    table = ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=client)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc_id)
    everywhere = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(**everywhere, GatewayId=gateway)

    def target(subnet: str) -> Target | None:
        hop = side.network().hop(subnet, "198.51.100.1")
        return hop and hop.target

    assert (target(client), target(management)) == (Target.INTERNET, None)
    allocation = ec2.allocate_address()["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=management, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    ec2.replace_route(**everywhere, NatGatewayId=nat)
    assert target(client) is Target.NAT
    interface = launch(account, network)[0]["NetworkInterfaces"][1]["NetworkInterfaceId"]
    ec2.replace_route(**everywhere, NetworkInterfaceId=interface)
    hop = side.network().hop(client, "198.51.100.1")
    assert hop is not None
    assert (hop.target, hop.interface_id) == (Target.INTERFACE, interface)
    ec2.delete_route(**everywhere)
    assert target(client) is None


def test_interfaces_have_their_check_and_their_public_addresses(account: Account, network: Network) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html"""
    ec2, side = account.ec2, account.side
    described = launch(account, network)[0]["NetworkInterfaces"][1]
    address, interface = described["PrivateIpAddress"], described["NetworkInterfaceId"]
    before = side.network()
    found = before.at(address)
    assert found is not None
    assert (found.source_dest_check, dict(found.public)) == (True, {})
    # An instance that arrives meanwhile changes it once.
    assert any(side.network() is side.network() for _time in range(3)), "nothing has changed"
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
    elastic = ec2.allocate_address()
    ec2.associate_address(AllocationId=elastic["AllocationId"], NetworkInterfaceId=interface)
    found = side.network().at(address)
    assert found is not None
    assert (found.source_dest_check, dict(found.public)) == (False, {address: elastic["PublicIp"]})
