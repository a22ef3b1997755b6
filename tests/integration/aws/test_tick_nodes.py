"""Which instances a tick takes for the nodes of a zone."""

from __future__ import annotations

from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.tick_effects import in_ec2

from .conftest import Cloud


def test_nodes_of_a_pair_of_the_name_are_not_the_groups(cloud: Cloud) -> None:
    zones = ("eu-central-1a", "eu-central-1b")
    sets = [{"zone": zone, "interfaces": cloud.interfaces(index)} for index, zone in enumerate(zones)]
    made = cloud.run(
        "vpx_instance", kind="group", group="shop", image_id=cloud.seed["image_id"], sets=sets, lifecycle="in_service"
    )
    first, second = (each["instance_id"] for each in made["instances"])
    find = in_ec2(lambda: cloud.ec2, "shop", (*zones, "eu-central-1x"))
    assert list(find()) == list(zones), "a zone without an instance is unknown"
    assert [[node.instance_id for node in nodes] for nodes in find().values()] == [[first], [second]]
    cloud.ec2.create_tags(Resources=[second], Tags=[{"Key": "cloudadc:lifecycle", "Value": "joining"}])
    assert [[node.instance_id for node in nodes] for nodes in find().values()] == [[first], []]
    cloud.ec2.create_tags(Resources=[second], Tags=[{"Key": "cloudadc:kind", "Value": "pair"}])
    assert [[node.instance_id for node in nodes] for nodes in find().values()] == [[first]]
    cloud.ec2.delete_tags(Resources=[first], Tags=[{"Key": "cloudadc:kind"}])
    assert [[node.instance_id for node in nodes] for nodes in find().values()] == [[first]]
