"""The configuration of a VPX that has just been launched on AWS."""

from __future__ import annotations

import ipaddress

from tests.lab.world import InstanceFacts

from .schema import Row, catalogue
from .store import Config

DEFAULT_RPC_PASSWORD = "factory-rpc"
BUILT_IN_MONITORS = {
    "tcp-default": "TCP",
    "ping-default": "PING",
    "tcp": "TCP",
    "tcps": "TCP",
    "http": "HTTP",
    "https": "HTTP",
    "ping": "PING",
    "http-ecv": "HTTP-ECV",
    "https-ecv": "HTTP-ECV",
    "tcp-ecv": "TCP-ECV",
    "udp-ecv": "UDP-ECV",
    "dns": "DNS",
    "ftp": "FTP",
    "arp": "ARP",
}
VCPUS = {"medium": 1, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32}


def vcpus(instance_type: str) -> int:
    """Of an EC2 size: m5.xlarge → 4."""
    return VCPUS.get(instance_type.rpartition(".")[2], 2)


def packet_engines(instance_type: str) -> int:
    """All vCPUs but the one that manages; at least one. So an m5.large is a "single CPU" box, with its sentinel
    values.
    """
    return max(1, vcpus(instance_type) - 1)


def add(config: Config, name: str, row: Row) -> Row:
    """Put a row there with its documented defaults."""
    resource = catalogue()[f"config/{name}"]
    full = {**resource.defaults(), **row}
    config.table(name)[resource.key_of(full)] = full
    return full


def factory_config(facts: InstanceFacts) -> Config:
    """NSIP by DHCP, user nsroot with the instance id as a password that must be changed, no feature but what is
    always on.
    """
    config = Config()
    nsip, netmask = "", "255.255.255.0"
    for interface in facts.interfaces:
        if interface.device_index == 0:
            nsip, netmask = interface.addresses[0], interface.netmask
        add(config, "Interface", {"id": f"1/{interface.device_index + 1}"})
    add(
        config,
        "nsip",
        {
            "ipaddress": nsip,
            "netmask": netmask,
            "type": "NSIP",
            "mgmtaccess": "ENABLED",
            "td": 0,
            "vserver": "DISABLED",
        },
    )
    add(config, "systemuser", {"username": "nsroot", "password": facts.instance_id, "_forced": True, "timeout": 900})
    add(config, "nsrpcnode", {"ipaddress": nsip, "password": DEFAULT_RPC_PASSWORD, "srcip": "*", "secure": "NO"})
    add(config, "hanode", {"id": 0, "ipaddress": nsip, "hastatus": "ENABLED"})
    add(config, "vlan", {"id": 1})
    gateway = str(ipaddress.ip_network(f"{nsip}/{netmask}", strict=False).network_address + 1)
    add(config, "route", {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": gateway, "permanent": True})
    for monitor, kind in BUILT_IN_MONITORS.items():
        add(config, "lbmonitor", {"monitorname": monitor, "type": kind})
    config.table("nsfeature")[()] = {"feature": []}
    config.table("nsmode")[()] = {"mode": ["FR", "L3", "Edge", "USNIP", "PMTUD"]}
    config.table("nshostname")[()] = {"hostname": ""}
    for name in ("systemparameter", "nstcpparam", "cloudparameter"):
        config.table(name)[()] = dict(catalogue()[f"config/{name}"].defaults())
    config.single("systemparameter").update({"timeout": 900, "forcepasswordchange": "ENABLED", "maxclient": 40})
    return config
