"""The first group, as the README tells it: its file and its commands, from prediction to removal by name alone."""

from __future__ import annotations

import pytest

from tests.e2e.reader import Answer, Reader

SHOP = ("-e", "@shop.yml")


def succeeded(answer: Answer) -> str:
    assert answer.code == 0, answer.text
    assert "DEPRECATION" not in answer.text
    return answer.message


def test_check_mode_predicts_what_is_launched_and_billed(reader: Reader) -> None:
    answer = reader.play("autoscale_group", *SHOP, "--check")
    message = succeeded(answer)
    assert answer.writes == []
    assert "would launch 4 x m5.xlarge (2 in eu-central-1a, 2 in eu-central-1b), billed by the hour" in message
    assert "would create a Network Load Balancer with 2 Elastic IP, billed by the hour and by traffic" in message


@pytest.mark.long
@pytest.mark.timeout(900)
def test_group_is_built_ticked_and_removed_by_its_name_alone(reader: Reader) -> None:
    built = succeeded(reader.play("autoscale_group", *SHOP))
    assert "Billed by AWS: 4 x m5.xlarge" in built
    assert "Next: run cloudadc.aws.autoscale every minute" in built
    assert "shop" in succeeded(reader.play("autoscale", *SHOP))
    name = ("autoscale_group_name=shop", "autoscale_group_region=eu-central-1", "autoscale_group_state=absent")
    gone = succeeded(reader.play("autoscale_group", *(word for value in name for word in ("-e", value))))
    assert "The group shop is removed." in gone
    assert reader.lab.boto("ec2").describe_addresses()["Addresses"] == []
