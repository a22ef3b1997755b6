"""Commands of ns.conf: words, options, values, and what of them is shown."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ns_commands import Translated, Translator
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.ns_conf import read_commands, split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("add server a 10.0.3.5", ["add", "server", "a", "10.0.3.5"]),
        ('set ns hostName "two words"', ["set", "ns", "hostName", "two words"]),
        (r'x "say \"no\"" y', ["x", 'say "no"', "y"]),
        (r'x "\"HTTP/1.1 200 OK\\r\\n\""', ["x", r'"HTTP/1.1 200 OK\r\n"']),
        (r'x "\r\n"', ["x", r"\r\n"]),
        ('x q{HTTP.REQ.URL.EQ("/a b")} y', ["x", 'HTTP.REQ.URL.EQ("/a b")', "y"]),
        ("x q/a b/ quit q.a", ["x", "a b", "quit", "q.a"]),
        ('x ""', ["x", ""]),
        ('x "not closed', ["x", "not closed"]),
    ],
)
def test_line_is_split_into_words(line: str, words: list[str]) -> None:
    assert [token.text for token in split(line)] == words


def test_options_have_values_flags_have_none() -> None:
    [command] = read_commands('# comment\n\nbind x y -type REQUEST -respCode 200 201 -quic -value "-no" \n')
    assert command.words == ("bind", "x", "y")
    assert command.options == {"type": ("REQUEST",), "respcode": ("200", "201"), "quic": (), "value": ("-no",)}
    assert command.number == 3


@pytest.mark.parametrize(
    "line",
    [
        "set system user nsroot 1f5aSECRET -encrypted -hashmethod SHA512",
        "add system user operator plainSECRET",
        "set ns rpcNode 10.0.0.1 -password SECRET -encrypted -kek",
        "add snmp community SECRET ALL",
        "add lb monitor m RADIUS -radKey SECRET",
        "add lb monitor m LDAP -password SECRET",
        "add authentication ldapAction a -ldapBindDnPassword SECRET -encrypted -encryptmethod ENCMTHD_3",
        "set x -cookiePassphrase SECRET",
        "add ssl certKey c -cert c.pem -key c.key -passcrypt SECRET",
    ],
)
def test_secrets_are_not_shown(line: str) -> None:
    [command] = read_commands(line)
    assert "SECRET" not in command.shown()
    assert "SECRET" not in repr(Translator([command]).translate(command))


def translated(*lines: str) -> list[Translated | None]:
    commands = read_commands("\n".join(lines))
    translator = Translator(commands)
    return [translator.translate(command) for command in commands]


@pytest.mark.parametrize(
    ("line", "verb", "resource", "body"),
    [
        ("add server a 10.0.3.5 -state DISABLED", "add", "server",
         {"name": "a", "ipaddress": "10.0.3.5", "state": "DISABLED"}),
        ("add server a a.example.com", "add", "server", {"name": "a", "domain": "a.example.com"}),
        ("add service s a HTTP 80 -cltTimeout 9", "add", "service",
         {"name": "s", "servername": "a", "servicetype": "HTTP", "port": 80, "clttimeout": "9"}),
        ("add service s 10.0.3.5 HTTP *", "add", "service",
         {"name": "s", "ip": "10.0.3.5", "servicetype": "HTTP", "port": "*"}),
        ("ADD LB VSERVER v HTTP 10.0.2.5 80", "add", "lbvserver",
         {"name": "v", "servicetype": "HTTP", "ipv46": "10.0.2.5", "port": 80}),
        ("add lb vserver v HTTP 0.0.0.0 0", "add", "lbvserver",
         {"name": "v", "servicetype": "HTTP", "ipv46": "0.0.0.0", "port": 0}),
        ("add ntp server ntp.example.com", "add", "ntpserver", {"servername": "ntp.example.com"}),
        ("set lb parameter -sessionsThreshold 5", "update", "lbparameter", {"sessionsthreshold": "5"}),
        ("set ssl vserver v -tls1 DISABLED", "update", "sslvserver", {"vservername": "v", "tls1": "DISABLED"}),
        ("enable ns feature LB RESPONDER", "enable", "nsfeature", {"feature": ["LB", "RESPONDER"]}),
        ("bind serviceGroup g a 80 -weight 2", "bind", "servicegroup_servicegroupmember_binding",
         {"servicegroupname": "g", "servername": "a", "port": 80, "weight": "2"}),
        ("bind serviceGroup g -monitorName m", "bind", "servicegroup_lbmonitor_binding",
         {"servicegroupname": "g", "monitor_name": "m"}),
        ("bind service s -monitorName m", "bind", "service_lbmonitor_binding", {"name": "s", "monitor_name": "m"}),
        ("bind ssl vserver v -certkeyName c -SNICert", "bind", "sslvserver_sslcertkey_binding",
         {"vservername": "v", "certkeyname": "c", "snicert": True}),
        ("bind policy patset p /a -index 1", "bind", "policypatset_pattern_binding",
         {"name": "p", "string": "/a", "index": "1"}),
        ("bind cs vserver c -lbvserver v", "bind", "csvserver_lbvserver_binding", {"name": "c", "lbvserver": "v"}),
    ],
)  # fmt: skip
def test_command_is_an_object_of_nitro(line: str, verb: str, resource: str, body: dict[str, object]) -> None:
    [found] = translated(line)
    assert found is not None
    assert (found.verb, found.resource, dict(found.body)) == (verb, resource, body)


def test_bindings_are_resolved_by_what_the_file_defines() -> None:
    *_defined, group, service, policy, unknown = translated(
        "add serviceGroup g HTTP",
        "add responder policy p true DROP",
        "bind lb vserver v g",
        "bind lb vserver v s",
        "bind lb vserver v -policyName p -priority 10 -gotoPriorityExpression END -type REQUEST",
        "bind lb vserver v -policyName other -priority 10",
    )
    assert group is not None
    assert (group.resource, group.child) == ("lbvserver_servicegroup_binding", "g")
    assert service is not None
    assert (service.resource, service.child) == ("lbvserver_service_binding", "s")
    assert policy is not None
    assert policy.resource == "lbvserver_responderpolicy_binding"
    assert policy.body["bindpoint"] == "REQUEST"
    assert unknown is None


@pytest.mark.parametrize(
    "line",
    [
        "add vpn vserver v SSL 10.0.2.5 443",
        "add lb vserver",
        "add server a 10.0.3.5 more",
        "rm server a",
        "bind service s",
    ],
)
def test_what_has_no_translation_is_nothing(line: str) -> None:
    assert translated(line) == [None]
