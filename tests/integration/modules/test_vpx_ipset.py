"""vpx_ipset against an appliance of a lab: what it calls, what the appliance then has, and every way to be refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.appliances import PASSWORD, Box, Ran, launch
from tests.lab.client import LabClient, wait_for

TWO = [{"ip_address": "127.200.2.10"}, {"ip_address": "127.200.12.10", "netmask": "255.255.255.0"}]
READS = [
    "POST /config/login 201",
    "GET /config/ipset 200",
    "GET /config/ipset_nsip_binding 200",
    "GET /config/ipset_nsip6_binding 200",
    "GET /config/nsip 200",
    "GET /config/lbvserver 200",
    "GET /config/csvserver 200",
]


@pytest.fixture
def box(fresh_lab: LabClient) -> Box:
    """Return a bootstrapped appliance with an application ``web``."""
    box = launch(fresh_lab)[0]
    wait_for(lambda: box.state()["stage"] == "ready", f"{box.instance_id} has booted")
    assert not box.bootstrap(features=["LB", "SSL"])["failed"]
    box.options["nitro_pass"] = PASSWORD
    made = box.run("vpx_application", name="web", port=8080, virtual_ip="127.200.2.9", backends=[])
    assert not made["failed"], made.result
    return box


def ipset(box: Box, check: bool = False, **options: Any) -> Ran:
    return box.run("vpx_ipset", check=check, **{"name": "clients", **options})


def rows(box: Box, kind: str, *fields: str) -> list[tuple[Any, ...]]:
    """Return what the appliance runs, and has saved."""
    state = box.state()
    assert state["running"] == state["saved"], "what runs is not saved"
    return [tuple(row.get(field) for field in fields) for row in state["running"].get(kind, [])]


def test_from_nothing_to_a_set_that_a_vserver_carries_and_back(box: Box) -> None:
    before = box.state()["running"]
    predicted = ipset(box, check=True, addresses=TWO, vservers=["web"])
    assert predicted.writes == []
    assert box.state()["running"] == before

    done = ipset(box, addresses=TWO, vservers=["web"])
    assert done["changed"] is True
    assert (
        done["ipset"]
        == predicted["ipset"]
        == {
            "name": "clients",
            "addresses": [
                {"ip_address": "127.200.2.10", "netmask": "255.255.255.255"},
                {"ip_address": "127.200.12.10", "netmask": "255.255.255.0"},
            ],
            "vservers": ["web"],
        }
    )
    assert done["diff"] == predicted["diff"] == {"before": {}, "after": done["ipset"]}
    assert done.writes == [
        "POST /config/nsip",
        "POST /config/nsip",
        "POST /config/ipset",
        "PUT /config/ipset_nsip_binding",
        "PUT /config/ipset_nsip_binding",
        "PUT /config/lbvserver",
        "POST /config/nsconfig?action=save",
    ]
    bound = rows(box, "ipset_nsip_binding", "name", "ipaddress")
    assert sorted(bound) == [("clients", "127.200.12.10"), ("clients", "127.200.2.10")]
    assert rows(box, "lbvserver", "name", "ipset") == [("web", "clients")]

    again = ipset(box, addresses=list(reversed(TWO)), vservers=["web"])
    assert (again["changed"], again["saved"], again.writes) == (False, False, [])
    assert again["ipset"] == done["ipset"]
    assert again.ops == [*READS, "GET /config/nsconfig 200", "POST /config/logout 201"], "the call budget"

    gone = ipset(box, state="absent")
    assert (gone["changed"], gone["ipset"]) == (True, None)
    assert gone.writes == [
        "POST /config/lbvserver?action=unset",
        "DELETE /config/ipset_nsip_binding",
        "DELETE /config/ipset_nsip_binding",
        "DELETE /config/ipset",
        "POST /config/nsconfig?action=save",
    ]
    assert rows(box, "ipset", "name") == []
    vips = [address for address, kind in rows(box, "nsip", "ipaddress", "type") if kind == "VIP"]
    assert sorted(vips) == ["127.200.12.10", "127.200.2.10", "127.200.2.9"], "VIPs stay unless asked"
    assert ipset(box, state="absent")["changed"] is False
    assert ipset(box, state="absent", addresses=TWO, purge_vips=True)["changed"] is True
    assert sorted(kind for (kind,) in rows(box, "nsip", "type")) == ["NSIP", "VIP"]


def test_purging_is_by_set_and_can_be_left(box: Box) -> None:
    ipset(box, addresses=TWO)
    kept = ipset(box, addresses=TWO[:1], purge_addresses=False)
    assert (kept["changed"], len(kept["ipset"]["addresses"])) == (False, 2)
    purged = ipset(box, addresses=TWO[:1])
    assert purged.writes == ["DELETE /config/ipset_nsip_binding", "POST /config/nsconfig?action=save"]
    assert [entry["ip_address"] for entry in purged["ipset"]["addresses"]] == ["127.200.2.10"]


def test_what_a_killed_run_left_unsaved_is_saved(box: Box) -> None:
    assert ipset(box, addresses=TWO, save_config=False)["saved"] is False
    assert box.state()["running"] != box.state()["saved"]
    again = ipset(box, addresses=TWO)
    assert (again["changed"], again["saved"], again.writes) == (False, True, ["POST /config/nsconfig?action=save"])
    assert box.state()["running"] == box.state()["saved"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"addresses": TWO, "vservers": ["web", "shop"]}, "there is no virtual server 'shop'"),
        ({"addresses": [{"ip_address": "10.0.0.300"}]}, "'10.0.0.300' is not an IP address"),
        ({"addresses": [*TWO, {"ip_address": "nsip"}]}, "is of type NSIP on this appliance"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(box: Box, options: dict[str, Any], message: str) -> None:
    addresses = [
        {**entry, "ip_address": entry["ip_address"].replace("nsip", box.address)} for entry in options["addresses"]
    ]
    refused = ipset(box, **{**options, "addresses": addresses})
    assert refused["failed"]
    assert message in refused["msg"]
    assert refused.writes == []
    assert "Traceback" not in str(refused.result)


def test_a_vserver_that_an_earlier_task_may_yet_make_is_a_warning_in_check_mode(box: Box) -> None:
    predicted = ipset(box, check=True, addresses=TWO, vservers=["shop"])
    assert not predicted["failed"]
    assert predicted["ipset"]["vservers"] == ["shop"]
    assert "there is no virtual server 'shop'" in str(predicted["warnings"])


def test_a_wrong_password_and_an_authority_that_is_not_trusted(box: Box) -> None:
    wrong = ipset(box, nitro_pass="not-it-7")
    assert wrong["failed"]
    assert "354" in wrong["msg"]
    assert "not-it-7" not in str({key: value for key, value in wrong.result.items() if key != "invocation"})
    untrusted = ipset(box, ca_path=None)
    assert untrusted["failed"]
    assert "certificate is not trusted" in untrusted["msg"]
