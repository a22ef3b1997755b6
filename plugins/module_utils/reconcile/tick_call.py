# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A call of module autoscale_tick: its options as a tick of each zone, and the clients that all zones share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3

from ..aws.client import Client, connect
from ..core.errors import Failure
from ..nitro.backends import read_backends
from ..scaling.clock import reported_at
from ..scaling.evaluator import Report
from ..scaling.followed import Followed
from ..scaling.manual import Request
from ..scaling.samples import node_count
from ..scaling.silence import record_sets
from ..scaling.work import Telling
from ..spec.alerts import Alert, Targets
from ..spec.errors import AutoscaleError
from ..spec.policy import LONGEST_TIME, Policy
from ..spec.times import as_instant
from ..stores.options import default_owner, open_store
from .alerting import send
from .kept_samples import valid_hours
from .licence_state import over_nitro as licences_over_nitro
from .nlb_ports import port_errors
from .pins import learn_pins
from .tick import Effects, TickSpec
from .tick_alerts import of_failure
from .tick_effects import desired_of, in_ec2, over_nitro
from .zone_ticks import Backends, Following, Once, ZoneResult, ZoneTick, has_instances, of_zone, tick_zone


def spec_from(params: Mapping[str, Any], owner: str) -> TickSpec:
    """Return what the options ask for. Raises AutoscaleError for what is wrong whatever the group state is."""
    if not 0 < params["lease_seconds"] <= LONGEST_TIME["seconds"]:
        raise AutoscaleError(f"lease_seconds must be more than 0 and at most a year, not {params['lease_seconds']:g}")
    now = datetime.now(UTC)
    return TickSpec(
        policy=Policy.from_dict(params["policy"]),
        now=params["now"] or now,
        owner=owner,
        lease_seconds=params["lease_seconds"],
        nodes=None if params["nodes"] is None else tuple(dict.fromkeys(params["nodes"])),
        count=None if params["node_count"] is None else node_count(params["node_count"]),
        sample=params["sample"],
        report=None if params["event"] is None else Report.from_dict(params["event"]),
        reported_at=None if params["now"] else lambda record: reported_at(record, now.timestamp()),
        request=None if params["request"] is None else Request.from_dict(params["request"]),
        orphans=tuple(params["swept"] or ()),
        cleaned_up=tuple(params["cleaned_up"] or ()),
        announce=params["announce"],
        withdraw_after=params["withdraw_after"],
        restored=tuple(params["restored"] or ()),
    )


_SERVICES = ("ec2", "autoscaling", "dynamodb", "elbv2", "cloudwatch", "sns", "events")


class Clients:
    """The module's options and AWS clients for all zones: one client a service, made once, whichever thread asks."""

    def __init__(self, module: Any) -> None:
        self.params: dict[str, Any] = module.params
        self.check_mode: bool = module.check_mode
        # validate_certs is about the appliances here; AWS's certificates are always validated.
        verify = module.params["aws_ca_bundle"] or True
        self._clients = {name: _once(module, name, verify) for name in _SERVICES}

    def client(self, service: str, **_options: object) -> Client:
        """Return the client of a service. Raises Failure."""
        return self._clients[service]()


def _port_errors(clients: Clients, name: str, zones: Sequence[str]) -> dict[str, float]:
    return port_errors(clients.client("elbv2"), clients.client("cloudwatch"), name, zones, time.time())


def _once(module: Any, service: str, verify: str | bool) -> Once[Client]:
    def connected() -> Client:
        if not HAS_BOTO3:
            raise Failure(missing_required_lib("botocore and boto3", reason=f"for {service}"))
        return connect(module, service, read_timeout=10, verify=verify)

    return Once(connected)


@dataclass(frozen=True, slots=True)
class TickCall:
    """What all zones of one call share."""

    clients: Clients
    owner: str
    names: Sequence[str]
    find: Once[Any]
    desired: Callable[[], Backends] | None
    telling: Telling
    diff: bool
    port_errors: Once[dict[str, float]] | None = None

    @classmethod
    def from_module(cls, module: Any, entries: Sequence[Mapping[str, Any]]) -> TickCall:
        params, clients = module.params, Clients(module)
        names = tuple(dict.fromkeys(entry["zone"] for entry in entries))
        followed = [Followed.from_option(each) for each in params["followed"]]
        clips = {entry["zone"]: str(entry.get("clip") or params.get("clip") or "") for entry in entries}
        desired = desired_of(followed, lambda: clients.client("autoscaling"), lambda: clients.client("ec2"))
        return cls(
            clients=clients,
            owner=params["owner"] or default_owner(),
            names=names,
            find=Once(
                in_ec2(
                    lambda: clients.client("ec2"),
                    params["group"],
                    names,
                    params["nitro_port"],
                    lambda nodes: learn_pins(params, nodes, clips),
                )
            ),
            desired=Once(desired) if followed else None,
            telling=Telling(
                params["group"], params["announce"], module.check_mode, str((params["event"] or {}).get("id", ""))
            ),
            diff=module._diff,
            port_errors=Once(partial(_port_errors, clients, params["load_balancer"], names))
            if params["load_balancer"]
            else None,
        )

    def tick(self, entry: Mapping[str, Any]) -> tuple[TickSpec, ZoneResult]:
        """Tick one zone. Raises Failure."""
        params = {**self.clients.params, **{key: value for key, value in entry.items() if value is not None}}
        spec, targets = spec_from(params, self.owner), Targets.from_option(params["alerts"])
        store = open_store(self.clients, params["group"], entry["zone"], may_create=True)

        def alert(alerts: Sequence[Alert]) -> tuple[str, ...]:
            return send(alerts, targets, self.clients.client, store)

        job = ZoneTick(
            zone=entry["zone"],
            spec=spec,
            effects=Effects(
                collect=over_nitro(params),
                find=of_zone(self.find, entry["zone"]),
                port_errors=self._port_errors_of(entry["zone"]),
                exists=has_instances(self.find, entry["zone"]),
            ),
            store=store,
            held=min(params["lease_seconds"], 60.0 + 4 * params["nitro_timeout"]),
            following=self._following(params),
            own_time=bool(params["now"]),
            samples_hours=valid_hours(params["samples_hours"]),
            alert=alert,
            licences=licences_over_nitro(params) if targets or params["publish"] else None,
        )
        try:
            ticked = tick_zone(job, self.telling, diff=self.diff)
        except AutoscaleError:
            raise  # the input is wrong, and nothing about the zone is known by it
        except Failure as error:
            if not self.telling.check_mode:
                alert([of_failure(params["group"], entry["zone"], str(error), as_instant(spec.now))])
            raise
        ticked.result["silent_record_sets"] = record_sets(ticked.result["silent"], params["domains"])
        return spec, ticked

    def _port_errors_of(self, zone: str) -> Callable[[], float | None] | None:
        """Return the function that finds the port errors of a zone in the one read that all zones share."""
        read = self.port_errors
        return None if read is None else lambda: read().get(zone)

    def _following(self, params: Mapping[str, Any]) -> Following | None:
        if self.desired is None:
            return None
        applications = [each["application"] for each in params["followed"]]
        clip, port = params.get("clip"), params["nitro_port"]
        at = f"{clip}:{port}" if clip and port else clip or ""
        return Following(self.desired, lambda nsips: read_backends(params, applications, nsips), at)
