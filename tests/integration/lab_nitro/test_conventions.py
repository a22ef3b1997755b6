"""What every resource has in common on the wire.

Sources: vendor NITRO docs 12.1 "performing-basic-operations", "performing-bulk-operations", "usecases" (filters,
paging, count, bindings), "error-and-exception-handling" (statuses, 209 with X-NITRO-WARNING, 207); recorded replies
as collected in the project's fact sheet §2.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.integration.lab_nitro.harness import Bench, Client, refused


def vserver(node: Client, name: str = "web", **more: object) -> None:
    node.add("lbvserver", name=name, servicetype="HTTP", ipv46="127.77.2.10", port=8080, **more)


def test_reply_to_an_add_is_201_and_printed_as_the_appliance_prints(node: Client) -> None:
    reply = node.post("config/ipset", {"ipset": {"name": "a/b"}})
    assert reply.status_code == 201
    assert reply.text == '{ "errorcode": 0, "message": "Done", "severity": "NONE" }'
    assert '"name": "a\\/b"' in node.get("config/ipset").text


def test_an_empty_list_is_an_absent_key(node: Client) -> None:
    for path in ("ipset", "lbvserver", "service"):
        reply = node.get(f"config/{path}")
        assert (reply.status_code, set(reply.json())) == (200, {"errorcode", "message", "severity"})
    node.add("ipset", name="ips")
    assert set(node.get("config/ipset_nsip_binding/ips").json()) == {"errorcode", "message", "severity"}


def test_a_missing_object_is_404_258_with_argument_and_value(node: Client) -> None:
    reply = node.get("config/lbvserver/nope")
    assert refused(reply) == (404, 258)
    assert reply.text == '{ "errorcode": 258, "message": "No such resource [name, nope]", "severity": "ERROR" }'
    assert refused(node.get("config/nsip?args=ipaddress:127.77.9.9")) == (404, 258)
    assert refused(node.delete("config/lbvserver/nope")) == (404, 258)
    assert refused(node.get("config/ipset_nsip_binding/nope")) == (404, 258)
    assert refused(node.put("config/lbvserver", {"lbvserver": {"name": "nope", "comment": "x"}})) == (404, 258)


def test_names_are_decoded_twice(node: Client) -> None:
    name = "a/b c%d"
    node.add("ipset", name=name)
    for encoded in (quote(quote(name, safe=""), safe=""), "a%252Fb%2520c%2525d"):
        assert node.rows("ipset", f"/{encoded}") == [{"name": name}]
    assert node.delete(f"config/ipset/{quote(quote(name, safe=''), safe='')}").status_code == 200


def test_a_second_add_is_409_273_unless_it_says_idempotent(node: Client) -> None:
    vserver(node)
    again = {"lbvserver": {"name": "web", "servicetype": "HTTP", "ipv46": "127.77.2.10", "port": 8080}}
    assert refused(node.post("config/lbvserver", again)) == (409, 273)
    assert node.post("config/lbvserver?idempotent=yes", again).status_code == 201
    again["lbvserver"]["port"] = 8081
    assert refused(node.post("config/lbvserver?idempotent=yes", again)) == (409, 273)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "x", "servicetype": "HTTP", "colour": "red"}, (400, 1090)),
        ({"name": "x", "servicetype": "CARRIER-PIGEON"}, (400, 1074)),
        ({"name": "x"}, (400, 1095)),
        ({"name": "x", "servicetype": "HTTP", "ipv46": "127.77.2"}, (400, 1110)),
        ({"name": "x", "servicetype": "HTTP", "port": 70000}, (400, 1108)),
        ({"name": "x", "servicetype": "HTTP", "clttimeout": -1}, (400, 1109)),
        ({"name": "x", "servicetype": "HTTP", "curstate": "UP"}, (599, 278)),
        ({"name": "x", "servicetype": "HTTP", "newname": "y"}, (599, 278)),
        ({"name": "", "servicetype": "HTTP"}, (400, 1091)),
        ({"name": "x", "servicetype": "HTTP", "port": {"a": 1}}, (400, 1234)),
        ({"name": "x", "servicetype": "HTTP", "ipset": "nope"}, (599, 3955)),
    ],
)
def test_bad_arguments_are_refused_with_the_vendors_numbers(
    node: Client, fields: dict[str, object], expected: tuple[int, int]
) -> None:
    assert refused(node.post("config/lbvserver", {"lbvserver": fields})) == expected
    assert node.rows("lbvserver") == []


def test_a_field_that_a_put_does_not_accept_is_599_278(node: Client) -> None:
    vserver(node)
    for field, value in (("port", 81), ("servicetype", "TCP"), ("curstate", "UP"), ("state", "DISABLED")):
        reply = node.put("config/lbvserver", {"lbvserver": {"name": "web", field: value}})
        assert refused(reply) == (599, 278), field


def test_numbers_and_numeric_strings_are_both_taken_and_doubles_come_back_as_strings(node: Client) -> None:
    vserver(node, clttimeout="200", timeout="5", persistencetype="sourceip")
    (row,) = node.rows("lbvserver", "/web")
    assert (row["port"], row["timeout"], row["clttimeout"], row["td"]) == (8080, 5, "200", "0")
    assert row["persistencetype"] == "SOURCEIP"
    assert (row["lbmethod"], row["backuplbmethod"]) == ("LEASTCONNECTION", "ROUNDROBIN")


def test_put_changes_what_it_names_and_unset_restores_the_default(node: Client) -> None:
    vserver(node, comment="first", lbmethod="ROUNDROBIN")
    assert node.put("config/lbvserver/web", {"lbvserver": {"comment": "second"}}).status_code == 200
    assert node.rows("lbvserver", "/web")[0]["comment"] == "second"
    assert node.rows("lbvserver", "/web")[0]["lbmethod"] == "ROUNDROBIN"
    node.do("lbvserver", "unset", name="web", comment=True, lbmethod=True)
    (row,) = node.rows("lbvserver", "/web")
    assert "comment" not in row
    assert row["lbmethod"] == "LEASTCONNECTION"
    assert refused(node.post("config/lbvserver?action=unset", {"lbvserver": {"name": "web", "port": True}})) == (
        599,
        278,
    )


def test_actions_in_the_url_and_in_the_body(node: Client) -> None:
    vserver(node)
    node.do("lbvserver", "disable", name="web")
    assert node.rows("lbvserver", "/web")[0]["curstate"] == "OUT OF SERVICE"
    body = {"params": {"action": "enable"}, "lbvserver": {"name": "web"}}
    assert node.post("config/lbvserver", body).status_code == 200
    assert node.rows("lbvserver", "/web")[0]["curstate"] == "DOWN"
    node.do("lbvserver", "rename", name="web", newname="shop")
    assert [row["name"] for row in node.rows("lbvserver")] == ["shop"]
    assert refused(node.post("config/lbvserver?action=levitate", {"lbvserver": {"name": "shop"}})) == (400, 1240)


def test_both_content_types_mean_the_same(node: Client) -> None:
    header = {"Content-Type": "application/vnd.com.citrix.netscaler.ipset+json"}
    assert node.post("config/ipset", {"ipset": {"name": "ips"}}, headers=header).status_code == 201
    assert node.rows("ipset") == [{"name": "ips"}]


def test_an_unknown_type_and_a_body_under_another_name_are_refused(node: Client) -> None:
    assert refused(node.get("config/flux")) == (400, 1232)
    assert refused(node.post("config/ipset", {"ipsets": {"name": "x"}})) == (400, 1232)
    assert refused(node.call("PATCH", "config/ipset"))[0] == 400


def test_filter_attrs_count_and_pages(node: Client) -> None:
    for number in range(5):
        node.add("server", name=f"s{number}", ipaddress=f"127.77.3.{number + 1}")
    assert [row["name"] for row in node.rows("server", "?filter=ipaddress:127.77.3.2")] == ["s1"]
    assert [row["name"] for row in node.rows("server", "?filter=name:/^s[34]$/")] == ["s3", "s4"]
    assert node.rows("server", "?filter=name:unknown") == []
    assert node.rows("server", "?attrs=name")[0] == {"name": "s0"}
    assert node.rows("server", "?count=yes") == [{"__count": 5}]
    assert [row["name"] for row in node.rows("server", "?pagesize=2&pageno=3")] == ["s4"]
    assert node.rows("server", "?view=summary")[0]["name"] == "s0"


def test_a_warning_is_silent_unless_asked_for(bench: Bench) -> None:
    node = bench.booted("i-0bbb", "127.77.1.11")
    first = node.post("config/server", {"server": {"name": "s", "ipaddress": "127.77.3.1"}})
    assert first.status_code == 201
    body = {"lbvserver": {"name": "web", "servicetype": "HTTP", "ipv46": "127.77.2.10", "port": 8080}}
    reply = node.post("config/lbvserver?warning=yes", body)
    assert reply.status_code == 209
    assert reply.headers["X-NITRO-WARNING"] == "1067 - Feature(s) not enabled [LB]"
    assert [row["name"] for row in node.rows("lbvserver")] == ["web"]
    body["lbvserver"].update(name="api", port=8081)
    assert node.post("config/lbvserver", body).status_code == 201


@pytest.mark.parametrize(
    ("mode", "names", "answers"), [("exit", ["a"], 2), ("continue", ["a", "c"], 3), ("rollback", [], 2)]
)
def test_bulk_requests(node: Client, mode: str, names: list[str], answers: int) -> None:
    body = {"ipset": [{"name": "a"}, {"nome": "b"}, {"name": "c"}]}
    reply = node.post("config/ipset", body, headers={"X-NITRO-ONERROR": mode})
    assert refused(reply) == (207, 1243)
    assert [item["errorcode"] for item in reply.json()["response"]] == [0, 1090, 0][:answers]
    assert [row["name"] for row in node.rows("ipset")] == names


def test_a_bulk_request_that_succeeds_and_a_bulk_delete(node: Client) -> None:
    names = [{"name": "a"}, {"name": "b"}]
    assert node.post("config/ipset", {"ipset": names}).status_code == 201
    assert len(node.rows("ipset")) == 2
    assert node.post("config/ipset?action=remove", {"ipset": names}).status_code == 200
    assert node.rows("ipset") == []


def test_bindings_are_put_listed_in_three_ways_and_deleted_with_arguments(node: Client) -> None:
    node.add("ipset", name="ips")
    node.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.255", type="VIP")
    node.bind("ipset_nsip_binding", name="ips", ipaddress="127.77.2.11")
    member = {"name": "ips", "ipaddress": "127.77.2.11"}
    assert node.rows("ipset_nsip_binding", "/ips") == [member]
    assert node.rows("ipset_nsip_binding", "?bulkbindings=yes") == [member]
    assert node.rows("ipset_nsip_binding", "/ips?filter=ipaddress:127.77.2.11") == [member]
    assert node.rows("ipset_nsip_binding", "/ips?filter=ipaddress:127.77.2.12") == []
    assert node.rows("ipset_binding", "/ips") == [{"name": "ips", "ipset_nsip_binding": [member]}]
    assert refused(node.put("config/ipset_nsip_binding", {"ipset_nsip_binding": member})) == (409, 273)
    assert refused(node.delete("config/ipset_nsip_binding/ips")) == (400, 1095)
    assert refused(node.delete("config/ipset_nsip_binding/ips?args=ipaddress:127.77.2.12")) == (404, 258)
    assert node.delete("config/ipset_nsip_binding/ips?args=ipaddress:127.77.2.11").status_code == 200
    assert node.rows("ipset_nsip_binding", "/ips") == []


def test_what_exists_once_is_an_object(node: Client) -> None:
    for name in ("nsversion", "nslicense", "nscapacity", "nsfeature", "nsmode", "nsconfig", "nshardware"):
        assert isinstance(node.get(f"config/{name}").json()[name], dict), name
    for name in ("ns", "system", "hanode", "ssl", "protocoltcp", "protocolhttp", "protocolip"):
        assert isinstance(node.get(f"stat/{name}").json()[name], dict), name


def test_a_route_is_named_by_network_with_arguments(node: Client) -> None:
    node.add("nsip", ipaddress="127.77.2.11", netmask="255.255.255.0", type="SNIP")
    node.add("route", network="127.78.0.0", netmask="255.255.0.0", gateway="127.77.2.1")
    args = "args=netmask:255.255.0.0,gateway:127.77.2.1"
    assert node.rows("route", f"?args=network:127.78.0.0,{args[5:]}")[0]["gateway"] == "127.77.2.1"
    assert node.delete(f"config/route/127.78.0.0?{args}").status_code == 200
    assert [row["network"] for row in node.rows("route")] == ["0.0.0.0"]
    assert refused(node.delete("config/route/0.0.0.0?args=netmask:0.0.0.0,gateway:127.77.1.1")) == (599, 2506)
