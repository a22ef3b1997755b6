"""A definition of another region or account: one message that names the region and the account."""

from __future__ import annotations

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure
from ansible_collections.cloudadc.aws.plugins.module_utils.reconcile.missing_subnets import MISSING, combine_missing

LOCATIONS = [{"management_subnet_id": "subnet-1", "client_subnet_id": "subnet-2", "server_subnet_id": "subnet-3"}]
LOST = [f"{MISSING}subnet-{number} in this account and region." for number in (1, 2, 3)]


def account() -> str:
    return "123456789012"


def refused() -> str:
    raise Failure("AccessDenied")


def test_region_and_account_are_named_where_no_subnet_exists() -> None:
    found = combine_missing([LOST[0], "Image ami-1 does not exist.", *LOST[1:]], LOCATIONS, "us-east-1", account)
    assert found == [
        "None of the 3 subnets exists in region us-east-1 of account 123456789012: nothing of this definition is "
        "there. Check the region and the credentials.",
        "Image ami-1 does not exist.",
    ]


def test_account_may_be_unknown() -> None:
    [message] = combine_missing(LOST, LOCATIONS, "us-east-1", refused)
    assert message.startswith("None of the 3 subnets exists in region us-east-1 of this account:")


def test_single_missing_subnets_keep_their_messages() -> None:
    assert combine_missing(LOST[:2], LOCATIONS, "us-east-1", refused) == LOST[:2]
    one_arm = [{key: "subnet-1" for key in LOCATIONS[0]}]
    assert combine_missing(LOST[:1], one_arm, "us-east-1", refused) == LOST[:1]
