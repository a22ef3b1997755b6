"""The lab as one process: its parts, its servers, its clock, and the control interface."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import ssl
import string
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psutil
from botocore.exceptions import ClientError

from tests.lab import checkpoint, faults, files, inprocess, killer, knobs, seed, sockets, variables
from tests.lab.appliance import ApplianceSide
from tests.lab.aws import AwsSide
from tests.lab.backends import Backends
from tests.lab.calls import CallLog
from tests.lab.console import Account, ConsoleSide
from tests.lab.control import Control
from tests.lab.dataplane import DataPlane
from tests.lab.fault_proxy import FaultProxy, Latency
from tests.lab.inprocess import Clients
from tests.lab.routing import Routing
from tests.lab.rundir import RunDirectory
from tests.lab.server import Server
from tests.lab.settings import LabError, Settings
from tests.lab.slices import Slice, claim
from tests.lab.tls import Authority
from tests.lab.world import Clock, Door, Keeper

REGION = "eu-central-1"
HOME = "127.0.0.1"
OWNER = "lab"
TICK_SECONDS = 0.05
OWNER_SECONDS = 2.0
MOST_TRACEBACKS = 20
APPLICATION_PORTS = range(8080, 8180)
# Below the range from which the kernel takes ports for outgoing connections, so that none of those is in the way.
SERVER_PORTS = range(20000, 30000)


class Lab:
    """One region with its appliances. Made, started, reset and stopped; implements ``control.Controls``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.directory = settings.directory
        self._changing = threading.RLock()
        self._stopping = threading.Event()
        self.clock = Clock(settings.pace)
        self.slice: Slice = claim(settings.network)
        self.authority = Authority(settings.directory)
        self.calls = CallLog(settings.directory / "calls.jsonl")
        self.faults = faults.Faults()
        self.latency = Latency()
        self.aws = AwsSide(self.clock, self.slice.network)
        self.nitro = ApplianceSide(self.clock, self.aws, pessimistic_image=settings.pessimistic_image)
        self.console = ConsoleSide(self.clock, _account(), settings.directory / "ca.pem")
        self.backends = Backends(self.slice.network)
        routing = Routing(self.aws, self.nitro, self.aws.load_balancers)
        self.dataplane = DataPlane(routing, self.authority.context, self.aws.ground.public_network)
        self.aws.set_health_way(routing.checks)
        self.aws.set_health_probe(self.dataplane.answers)
        self.aws.dns_probe = routing.checked_from_outside
        self.nitro.set_backend_probe(self.dataplane.answers)
        self.nitro.set_address_mover(self._move_address)
        self.nitro.set_elastic_ip_mover(self._move_elastic_ips)
        self.aws.ground.is_alive = self.nitro.is_alive
        self.aws.ground.connections_at = self.nitro.connections_at
        self.console.set_device_probe(self._console_reaches)
        self._routing = routing
        self._aws_server = _bind(HOME, settings.aws_port, self._guard(self.aws))
        self._nitro_server = _bind(
            "0.0.0.0",
            settings.nitro_port,
            self._guard(self.nitro),
            tls=self._management_tls,
            door=self.nitro.door,
            way=routing.manages,
        )
        self._console_server = _bind(HOME, settings.adm_port, self._guard(self.console), tls=self.authority.context)
        self._control_server = _bind(HOME, settings.control_port, Control(self))
        self.where = files.Whereabouts(
            directory=self.directory,
            control_url=f"http://{HOME}:{self._control_server.port}",
            aws_url=f"http://{HOME}:{self._aws_server.port}",
            nitro_port=self._nitro_server.port,
            console_url=f"https://{HOME}:{self._console_server.port}",
            console=self.console.account,
            region=REGION,
            access_key_id="AKIA" + _random(16, string.ascii_uppercase + string.digits),
            secret_access_key=_random(48),
            password=_random(24),
            rpc_password=_random(24),
        )
        self.aws.keys = {self.where.access_key_id: self.where.secret_access_key, inprocess.KEY_ID: None}
        self.aws.enforces = settings.iam
        self._clients = Clients(self.aws, self.where.aws_url, REGION)
        self._application_port = _free_port(f"{self.slice.public_network}.255.254", APPLICATION_PORTS)
        self.seed: seed.Seed
        # Locks are taken in this order, which is that of the calls from room to room.
        self._keepers: dict[str, Keeper] = {"adm": self.console, "nitro": self.nitro, "aws": self.aws}
        self._seeded: checkpoint.Checkpoint
        self._kept: dict[str, checkpoint.Checkpoint] = {}
        self._failures: dict[str, int] = {}

    def _move_address(self, address: str, instance_id: str) -> None:
        """What a cluster's new coordinator does in EC2: take the cluster's address to its own management interface."""
        owners = {
            one.network_interface_id: facts.instance_id
            for facts in self.aws.instances()
            for one in facts.interfaces
            if address in one.addresses or (facts.instance_id == instance_id and one.device_index == 0)
        }
        ec2 = Clients(self.aws, self.where.aws_url, REGION).client("ec2")
        with contextlib.suppress(ClientError):  # the address may be the primary one of another interface by now
            for interface, owner in owners.items():
                if owner != instance_id:
                    ec2.unassign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=[address])
            for interface, owner in owners.items():
                if owner == instance_id:
                    ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, PrivateIpAddresses=[address])

    def _move_elastic_ips(self, instance_id: str, associations: dict[str, str]) -> None:
        """What a pair's new primary does in EC2: take each Elastic IP to its own address of the same virtual server."""
        ec2 = Clients(self.aws, self.where.aws_url, REGION).client("ec2")
        interface = {
            address: one.network_interface_id
            for facts in self.aws.instances()
            if facts.instance_id == instance_id
            for one in facts.interfaces
            for address in one.addresses
        }
        for elastic in ec2.describe_addresses()["Addresses"]:
            here = associations.get(elastic.get("PrivateIpAddress", ""))
            if here in interface:
                ec2.associate_address(
                    AllocationId=elastic["AllocationId"],
                    NetworkInterfaceId=interface[here],
                    PrivateIpAddress=here,
                    AllowReassociation=True,
                )

    def _management_tls(self, address: str) -> ssl.SSLContext:
        """The certificate under which NITRO answers at an address: of the lab's authority, or the appliance's own."""
        settings = self.nitro.settings
        if installed := self.nitro.certificate_at(address):
            return self.authority.installed(installed.chain, installed.key, installed.passphrase)
        owner = self.nitro.appliance_at(address) if settings.self_signed else None
        if owner is None:
            return self.authority.context(address)
        return self.authority.self_signed(owner, int(owner in settings.new_certificates))

    def _console_reaches(self, address: str) -> bool:
        """Whether the console, which is where the controller is, finds a device up."""
        port = self._nitro_server.port
        return self.nitro.door(address) is Door.OPEN and self._routing.manages(HOME, address, port)

    def start(self) -> None:
        """Seed the account, write the files, and answer."""
        self.where.ca_path.write_bytes(self.authority.pem)
        self._sow()
        self._seeded = checkpoint.keep(self._keepers, self.seed, self.backends.running())
        for server in self._servers():
            server.start()
        self.backends.start()
        self.dataplane.start()
        # Apart from each other: a health check that takes its time must not hold up heartbeats.
        ticks = {"aws": self.aws.tick, "nitro": self.nitro.tick, "dataplane": self.dataplane.tick}
        for name, tick in ticks.items():
            threading.Thread(target=self._tick, args=(name, tick), name=f"ticker-{name}", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        for server in self._servers():
            server.stop()
        self.dataplane.stop()
        self.backends.stop()
        self.calls.close()
        self.slice.release()

    def _servers(self) -> tuple[Server, ...]:
        return self._control_server, self._aws_server, self._nitro_server, self._console_server

    def state(self) -> dict[str, Any]:
        with self._changing:
            return {
                "pid": os.getpid(),
                "directory": str(self.directory),
                "network": self.slice.network,
                "public_network": self.slice.public_network,
                "control_url": self.where.control_url,
                "aws_url": self.where.aws_url,
                "nitro_port": self.where.nitro_port,
                "adm_url": self.where.console_url,
                "calls": str(self.calls.path),
                "time": self.clock.today().isoformat(),
                "pace": self.clock.factor,
                "latency": self.latency.state(),
                **self.faults.state(),
                "settings": self._settings(),
                "seed_data": self.seed.state(),
                "kept": sorted(self._kept),
                "backends": self.backends.state(),
                "dataplane": self.dataplane.state(),
                "ticker_failures": dict(self._failures),
                "aws": self.aws.state(),
                "nitro": self.nitro.state(),
                "adm": self.console.state(),
            }

    def reset(self) -> dict[str, Any]:
        """The region of the start; no faults, no latency, default settings, an empty call log. The pace stays."""
        with self._changing:
            self.faults.set(faults.NO_FAULTS)
            self.latency.clear()
            self.aws.reset()
            self.nitro.reset()
            self.dataplane.reset()
            self.backends.start()
            checkpoint.restore(self._keepers, self._seeded)  # seeding takes as long as a test
            self.seed = self._seeded.seed
            shutil.rmtree(self.directory / "store", ignore_errors=True)  # records of groups that are gone
            self._write_files()
            self.calls.clear()
            return {"seed_data": self.seed.state()}

    def keep(self, name: str) -> dict[str, Any]:
        """Remember the region as it is now; an earlier one of this name is forgotten."""
        with self._changing:
            began = time.monotonic()
            kept = self._kept[name] = checkpoint.keep(self._keepers, self.seed, self.backends.running())
            return {"name": name, "bytes": kept.size, "seconds": round(time.monotonic() - began, 4)}

    def restore(self, name: str) -> dict[str, Any]:
        """The region as it was then, as often as it is asked for; LookupError if nothing of this name was kept."""
        with self._changing:
            began = time.monotonic()
            kept = self._kept[name]
            self.faults.set(faults.NO_FAULTS)
            self.latency.clear()
            self.dataplane.reset()
            checkpoint.restore(self._keepers, kept)
            self.backends.put(kept.backends)
            self.seed = kept.seed
            self._write_files()
            self.calls.clear()
            return {"name": name, "seed_data": self.seed.state(), "seconds": round(time.monotonic() - began, 4)}

    def set_latency(self, seconds: dict[str, float]) -> dict[str, Any]:
        self.latency.set(seconds)
        return {"latency": self.latency.state()}

    def set_pace(self, factor: float) -> dict[str, Any]:
        self.clock.set_factor(factor)
        return {"factor": self.clock.factor}

    def set_load(self, selector: dict[str, str], figures: dict[str, float]) -> list[str]:
        return self.nitro.load(selector, figures)

    def set_power(self, instance_id: str, on: bool) -> None:
        self.nitro.power(instance_id, on)

    def set_backend(self, name: str, up: bool) -> None:
        self.backends.switch(name, up=up)

    def set_faults(self, plan: faults.Plan) -> dict[str, Any]:
        self.faults.set(plan)
        return self.faults.state()

    def release(self) -> dict[str, Any]:
        """Let the calls go on that are held now."""
        self.faults.holds.release()
        return self.faults.state()

    def resolve(self, name: str) -> dict[str, Any]:
        """What Route 53 answers to a resolver now; ``ttl`` in lab seconds, which pass ``pace`` times as fast."""
        addresses, ttl = self.aws.resolve(name)
        return {"name": name, "addresses": list(addresses), "ttl": ttl, "pace": self.clock.factor}

    def set_settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All of what is given, or nothing: ValueError with a sentence."""
        with self._changing:
            sides = {"aws": self.aws.settings, "nitro": self.nitro.settings}
            new = {side: knobs.values(values, sides[side], side) for side, values in given.items()}
            for side, values in new.items():
                for name, value in values.items():
                    setattr(sides[side], name, value)
            return self._settings()

    def _settings(self) -> dict[str, Any]:
        return {"aws": knobs.plain(self.aws.settings), "nitro": knobs.plain(self.nitro.settings)}

    def _guard(self, side: Any) -> FaultProxy:
        return FaultProxy(
            side,
            calls=self.calls,
            faults=self.faults,
            latency=self.latency,
            kill=killer.kill_tree,
            keep=self.keep,
        )

    def _sow(self) -> None:
        shutil.rmtree(self.directory / "store", ignore_errors=True)  # of an earlier lab in this directory
        self.seed = seed.sow(self._clients, self.slice.network, REGION)
        self.aws.hand_over(OWNER, self.where.access_key_id, self.where.secret_access_key)
        self.console.sow(self.slice.network, self.where.password, self.where.nitro_port)
        self._write_files()

    def _write_files(self) -> None:
        files.write_environment(self.directory / "env", files.environment(self.where, os.environ))
        files.write_variables(
            self.directory / "vars" / "ha_pair.yml",
            "Variables for the playbooks ha_pair and ha_failover against this lab.",
            variables.ha_pair(self.where, self.seed, self.backends.all[:2], self._application_port),
        )
        for distributor in ("nlb", "dns"):
            files.write_variables(
                self.directory / "vars" / f"autoscale_{distributor}.yml",
                f"Variables for the playbooks of an autoscale group ({distributor}) against this lab.",
                variables.autoscale_group(
                    self.where, self.seed, self.backends.all[:2], self._application_port, distributor
                ),
            )
        files.write_variables(
            self.directory / "vars" / "console.yml",
            "Where an autoscale group's nodes are registered: this lab's NetScaler Console, as on premises.",
            {"autoscale_group_console": variables.console(self.where)},
        )

    def _tick(self, name: str, tick: Callable[[], None]) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            try:
                tick()
            except Exception:  # noqa: BLE001 - the boundary: one bad tick must not stop the lab's time
                self._failures[name] = self._failures.get(name, 0) + 1
                if self._failures[name] <= MOST_TRACEBACKS:
                    traceback.print_exc()


def serve(settings: Settings) -> None:
    """Run a lab in this process until SIGTERM or SIGINT, or until the process that owns it is gone."""
    run = RunDirectory(settings.directory)
    with run.held(), _signals() as ended:
        run.clear()
        lab = Lab(settings)
        lab.start()
        run.announce(
            {
                "pid": os.getpid(),
                "url": lab.where.control_url,
                "nitro_port": lab.where.nitro_port,
                "aws_url": lab.where.aws_url,
                "network": lab.slice.network,
            }
        )
        print(f"the lab answers: {json.dumps(run.read())}", flush=True)
        while not ended.wait(OWNER_SECONDS):
            if settings.owner and not psutil.pid_exists(settings.owner):
                break
        lab.stop()
        run.clear()
        print("the lab has ended", flush=True)


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_ignored: ended.set())
    yield ended


def _bind(address: str, port: int, application: Any, **options: Any) -> Server:
    if port:
        try:
            return Server(address, port, application, **options)
        except OSError as error:
            raise LabError(f"port {port} on {address} cannot be had: {error.strerror}") from error
    # Start at a random one: labs that start side by side would race for the lowest.
    start = secrets.randbelow(len(SERVER_PORTS))
    for candidate in (*SERVER_PORTS[start:], *SERVER_PORTS[:start]):
        with contextlib.suppress(OSError):
            return Server(address, candidate, application, **options)
    raise LabError(f"no port from {SERVER_PORTS[0]} to {SERVER_PORTS[-1]} is free on {address}")


def _free_port(address: str, ports: range) -> int:
    for port in ports:
        with contextlib.suppress(OSError):
            sockets.listen(address, port).close()
            return port
    raise LabError(f"no port from {ports[0]} to {ports[-1]} is free on {address}")


def _account() -> Account:
    """Who may log in to the console of this lab: random, like every secret of it."""
    return Account("nsroot", _random(24), _random(24), _random(32), "lab-customer")


def _random(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(secrets.choice(alphabet) for _turn in range(length))
