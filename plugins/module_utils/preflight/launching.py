# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be launched: the image, the subscription to it, the instance type, and a dry run for each zone. Pure.

The checks themselves are those by which vpx_instance refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..aws.errors import AwsError
from ..core.errors import Failure, Refusal
from ..reconcile.launch import check_image, check_type, refuse_incomplete
from ..spec.builds import vulnerability_warning
from .plan import Plan
from .rights import DENIED, WOULD
from .rows import Row, failed, ok, skipped, unknown, warning

Described = Sequence[Mapping[str, Any]]
IMAGE, SUBSCRIPTION, TYPE, LAUNCH = "image", "subscription", "instance type", "launch"

# EC2 API reference, "Error codes": an image of the marketplace to which the account is not subscribed.
NOT_SUBSCRIBED = "OptInRequired"


def image(plan: Plan, images: Described) -> Row:
    subject = plan.launch_spec.image_id or "none"
    try:
        refuse_incomplete(plan.desired(plan.zones[0]), plan.launch_spec, plan.instances)
        check_image(plan.launch_spec, images)
    except Refusal as refusal:
        return failed(IMAGE, subject, str(refusal))
    found = images[0]
    if message := vulnerability_warning(found.get("Name")):
        return warning(IMAGE, subject, message)
    return ok(IMAGE, subject, f"{found.get('Architecture', 'image')}: {found.get('Name') or 'without a name'}")


def instance_type(plan: Plan, types: Described, images: Described) -> Row:
    """Its interfaces and addresses, and whether it runs what the image is made for."""
    subject = plan.launch_spec.instance_type
    try:
        for zone in plan.zones:
            check_type(plan.desired(zone), plan.launch_spec, types)
    except Refusal as refusal:
        return failed(TYPE, subject, str(refusal))
    network = types[0]["NetworkInfo"]
    built_for = images[0].get("Architecture") if images else None
    runs = types[0].get("ProcessorInfo", {}).get("SupportedArchitectures")
    if built_for and runs and built_for not in runs:
        return failed(TYPE, subject, f"runs {', '.join(runs)}, but the image is built for {built_for}")
    return ok(
        TYPE,
        subject,
        f"{network['MaximumNetworkInterfaces']} network interfaces, {len(plan.zones[0].interfaces)} are needed; "
        f"{vcpus(types)} vCPUs",
    )


def vcpus(types: Described) -> int:
    return int(types[0]["VCpuInfo"]["DefaultVCpus"])


def subscription(plan: Plan, images: Described, outcomes: Mapping[str, object]) -> Row:
    """``outcomes``: zone → what EC2 answered to the dry run there, a Failure."""
    subject = plan.launch_spec.image_id or "none"
    codes = {_code(outcome): outcome for outcome in outcomes.values()}
    if NOT_SUBSCRIBED in codes:
        return failed(SUBSCRIPTION, subject, str(codes[NOT_SUBSCRIBED]))
    if WOULD in codes:
        return ok(SUBSCRIPTION, subject, "EC2 would launch it (dry run)")
    if images and not images[0].get("ProductCodes"):
        return ok(SUBSCRIPTION, subject, "has no product code, so it needs no subscription")
    return unknown(SUBSCRIPTION, subject, "no dry run of a launch came far enough")


def launch(zone: str, count: int, outcome: object) -> Row:
    """Return what EC2 answered to the dry run of the launch in one zone."""
    code = _code(outcome)
    if code == WOULD:
        return ok(LAUNCH, zone, f"{_many(count)} would be launched (dry run)")
    if code in DENIED:
        return warning(LAUNCH, zone, f"could not be tried: {outcome}")
    if code == NOT_SUBSCRIBED:
        return skipped(LAUNCH, zone, "not without a subscription to the image")
    if code is not None:
        return failed(LAUNCH, zone, str(outcome))
    return unknown(LAUNCH, zone, outcome if isinstance(outcome, Failure) else "EC2 did not answer as to a dry run")


def nothing_to_launch(zone: str) -> Row:
    return ok(LAUNCH, zone, "all its appliances are there")


def _many(count: int) -> str:
    return "1 instance" if count == 1 else f"{count} instances"


def _code(outcome: object) -> str | None:
    return outcome.code if isinstance(outcome, AwsError) else None
