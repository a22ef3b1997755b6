"""Instances take time: pending → running, stopping → stopped, shutting-down → terminated, on the lab's clock.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html and the pages of StartInstances,
StopInstances, RebootInstances, TerminateInstances. moto's instances are where they are going at once. On the way out:
- interfaces with DeleteOnTermination go with the instance, the others are detached and keep their Elastic IPs;
- a terminated instance stays visible for about an hour, without interfaces, addresses, subnet or groups;
- status checks are ``initializing`` for a while after each start
  (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html).
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance, InstanceState, StateReason
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_dict_attribute_mapping

from tests.lab.aws.ground import ground, regions
from tests.lab.aws.mends.errors import refuse
from tests.lab.aws.mends.patch import replaces, replaces_property

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
VISIBLE_AFTER_TERMINATION = 3600.0

_init = Instance.__init__


@replaces(Instance, "__init__")
def init_instance(instance: Any, *args: Any, **kwargs: Any) -> None:
    instance.lab_due = None
    instance.lab_started_at = 0.0
    instance.lab_reboots = 0
    instance.lab_terminated_at = 0.0
    instance.lab_launched_at = ground().now()
    _init(instance, *args, **kwargs)
    instance.launch_time = ground().timestamp()
    enter(instance, "pending", "running", ground().settings.pending)


def enter(instance: Any, state: str, following: str | None = None, after: float = 0.0) -> None:
    """Put an instance into a state; ``following`` comes ``after`` lab seconds."""
    ground().remember(f"state:{instance.id}", instance._state)
    instance._state = InstanceState(state, CODES[state])
    instance.lab_due = (ground().now() + after, following) if following else None


def _is_visible(instance: Any) -> bool:
    """With a lag, an instance is not found for a while after its launch (EC2's eventual consistency)."""
    return bool(instance.lab_launched_at + ground().settings.lag <= ground().now())


_describe_instances = InstanceResponse.describe_instances


@replaces(InstanceResponse, "describe_instances")
def describe_instances(response: Any) -> Any:
    """https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html"""
    answer = _describe_instances(response)
    desired = response._get_param("InstanceIds", [])
    for reservation in answer.result["Reservations"]:
        young = [instance.id for instance in reservation.instances if not _is_visible(instance)]
        if young and desired:
            raise refuse("InvalidInstanceID.NotFound", f"The instance ID '{young[0]}' does not exist")
        reservation.instances = [instance for instance in reservation.instances if instance.id not in young]
    answer.result["Reservations"] = [r for r in answer.result["Reservations"] if r.instances]
    return answer


def settle() -> None:
    """Carry out every change of state that is due."""
    for backend in regions():
        for instance in every_instance(backend):
            if instance.lab_due and instance.lab_due[0] <= ground().now():
                _arrive(backend, instance, *instance.lab_due)
        _forget(backend)


def every_instance(backend: Any) -> list[Any]:
    return [instance for reservation in backend.reservations.values() for instance in reservation.instances]


def _arrive(backend: Any, instance: Any, when: float, state: str) -> None:
    ground().changed()
    enter(instance, state)
    if state == "running":
        instance.lab_started_at = when
    elif state == "terminated":
        instance.lab_terminated_at = when
        _dissolve(backend, instance)


def _dissolve(backend: Any, instance: Any) -> None:
    """What becomes of a terminated instance's interfaces, volumes and profile."""
    for interface in list(instance.nics.values()):
        gone = interface.delete_on_termination
        instance.detach_eni(interface)
        interface.public_ip = None
        if gone:
            backend.delete_network_interface(interface.id)
    instance.nics = {}
    instance._subnet_id = None
    instance.security_groups = []
    instance.teardown_defaults()
    association = backend.iam_instance_profile_associations.get(instance.id)
    if association:
        backend.disassociate_iam_instance_profile(association.association_id)
    backend.lab_terminated([instance.id])


def _forget(backend: Any) -> None:
    """Terminated instances vanish after a while, their tags with them."""
    limit = ground().now() - VISIBLE_AFTER_TERMINATION
    for identity, reservation in list(backend.reservations.items()):
        for instance in list(reservation.instances):
            if instance.state == "terminated" and instance.lab_terminated_at < limit:
                reservation.instances.remove(instance)
                backend.tags.pop(instance.id, None)
        if not reservation.instances:
            del backend.reservations[identity]


@replaces(EC2Backend, "lab_terminated")
def lab_terminated(backend: Any, instance_ids: list[str]) -> None:
    """Auto Scaling groups and target groups take notice."""
    from moto.autoscaling.models import autoscaling_backends
    from moto.elbv2.models import elbv2_backends

    autoscaling_backends[backend.account_id][backend.region_name].notify_terminate_instances(instance_ids)
    elbv2_backends[backend.account_id][backend.region_name].notify_terminate_instances(instance_ids)


def _wrong_state(instance: Any, done: str) -> Exception:
    return refuse(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {done}.",
    )


@replaces(Instance, "start")
def start(instance: Any, *_ignored: Any, **__: Any) -> Any:
    previous = copy.copy(instance._state)
    if previous.name == "stopped":
        for interface in instance.nics.values():
            interface.start()
        instance._reason, instance.state_reason = "", StateReason()
        instance.launch_time = ground().timestamp()
        enter(instance, "pending", "running", ground().settings.pending)
    elif previous.name not in ("pending", "running"):
        raise _wrong_state(instance, "started")
    return previous


@replaces(Instance, "stop")
def stop(instance: Any, *_ignored: Any, **__: Any) -> Any:
    previous = copy.copy(instance._state)
    if previous.name == "running":
        for interface in instance.nics.values():
            interface.stop()
        _note_reason(instance)
        enter(instance, "stopping", "stopped", ground().settings.stopping)
    elif previous.name not in ("stopping", "stopped"):
        raise _wrong_state(instance, "stopped")
    return previous


@replaces(Instance, "terminate")
def terminate(instance: Any, *_ignored: Any, **__: Any) -> Any:
    previous = copy.copy(instance._state)
    if previous.name not in ("shutting-down", "terminated"):
        _note_reason(instance)
        enter(instance, "shutting-down", "terminated", ground().settings.shutting_down)
    return previous


@replaces(Instance, "reboot")
def reboot(instance: Any, *_ignored: Any, **__: Any) -> None:
    if instance.state not in ("running", "pending"):
        raise _wrong_state(instance, "rebooted")
    instance.lab_reboots += 1


def _note_reason(instance: Any) -> None:
    instance._reason = f"User initiated ({ground().timestamp():%Y-%m-%d %H:%M:%S} GMT)"
    instance.state_reason = StateReason(
        "Client.UserInitiatedShutdown: User initiated shutdown", "Client.UserInitiatedShutdown"
    )


def _change(response: Any, key: str, change: Any) -> Any:
    """Answer of Start-, Stop- and TerminateInstances: the state before and the state now."""
    instance_ids = response._get_param("InstanceIds", [])
    response.ec2_backend.get_multi_instances_by_id(instance_ids)
    response.error_on_dryrun()
    changed = change(instance_ids)
    return ActionResult(
        {key: [{"InstanceId": i.id, "CurrentState": i._state, "PreviousState": previous} for i, previous in changed]}
    )


@replaces(InstanceResponse, "start_instances")
def start_instances(response: Any) -> Any:
    return _change(response, "StartingInstances", response.ec2_backend.start_instances)


@replaces(InstanceResponse, "stop_instances")
def stop_instances(response: Any) -> Any:
    return _change(response, "StoppingInstances", response.ec2_backend.stop_instances)


@replaces(InstanceResponse, "terminate_instances")
def terminate_instances(response: Any) -> Any:
    return _change(response, "TerminatingInstances", response.ec2_backend.terminate_instances)


@replaces(InstanceResponse, "reboot_instances")
def reboot_instances(response: Any) -> Any:
    instance_ids = response._get_param("InstanceIds", [])
    response.ec2_backend.get_multi_instances_by_id(instance_ids)
    response.error_on_dryrun()
    response.ec2_backend.reboot_instances(instance_ids)
    return EmptyResult()


def _status(instance: Any, *, alive: bool = True) -> dict[str, Any]:
    if instance.state != "running":
        return {"Status": "not-applicable"}
    if not alive:
        return {"Details": [{"Name": "reachability", "Status": "failed"}], "Status": "impaired"}
    passed = ground().now() >= instance.lab_started_at + ground().settings.status_checks
    detail = {"Name": "reachability", "Status": "passed" if passed else "initializing"}
    return {"Details": [detail], "Status": "ok" if passed else "initializing"}


@replaces_property(Instance, "instance_status")
def instance_status(instance: Any) -> dict[str, Any]:
    """Of the operating system; the system status check, below, is of the hardware under it."""
    return _status(instance, alive=ground().is_alive(instance.id))


@replaces_property(Instance, "system_status")
def system_status(instance: Any) -> dict[str, Any]:
    return _status(instance)


@replaces_property(Instance, "instance_state")
def instance_state(instance: Any) -> Any:
    """What DescribeInstances shows, which may lag."""
    return ground().observed(f"state:{instance.id}", instance._state)


def _private(instance: Any) -> str | None:
    first = instance.nics.get(0)
    return first.private_ip_address if first else None


def _public(instance: Any) -> str | None:
    first = instance.nics.get(0)
    return first.public_ip if first else None


def _private_name(instance: Any) -> str:
    address = _private(instance)
    zone = "ec2" if instance.region_name == "us-east-1" else f"{instance.region_name}.compute"
    return f"ip-{address.replace('.', '-')}.{zone}.internal" if address else ""


def _vpc(instance: Any) -> str | None:
    first = instance.nics.get(0)
    return first.subnet.vpc_id if first else None


Instance.private_ip = Instance.private_ip_address = property(_private)
Instance.public_ip = Instance.public_ip_address = property(_public)
Instance.private_dns_name = property(_private_name)
Instance.vpc_id = property(_vpc)


FILTERS = {
    "client-token": "client_token",
    "instance-state-code": "lab_state_code",
    "iam-instance-profile.arn": "iam_instance_profile.Arn",
    "network-interface.network-interface-id": "network_interfaces.id",
    "network-interface.subnet-id": "network_interfaces.subnet_id",
    "network-interface.vpc-id": "network_interfaces.vpc_id",
    "network-interface.addresses.private-ip-address": "lab_private_addresses",
    "network-interface.group-id": "lab_group_ids",
}
"""Filters of DescribeInstances that moto does not know."""

filter_dict_attribute_mapping.update(FILTERS)


@replaces_property(Instance, "lab_state_code")
def lab_state_code(instance: Any) -> str:
    return str(instance._state.code)


@replaces_property(Instance, "lab_private_addresses")
def lab_private_addresses(instance: Any) -> list[str]:
    return [item["PrivateIpAddress"] for eni in instance.nics.values() for item in eni.private_ip_addresses]


@replaces_property(Instance, "lab_group_ids")
def lab_group_ids(instance: Any) -> list[str]:
    return [group.id for eni in instance.nics.values() for group in eni._group_set]
