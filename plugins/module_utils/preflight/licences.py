# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Licences of what is to be launched: whether the build knows the service, and what the pool must give. Pure.

Only an appliance that a licence server serves can read its pool (NITRO nslicenseserverpool), so before deployment the
row of the pool says how much is needed, and where to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..spec.builds import LICENSE_ACTIVATION, license_problem, parse_build
from .plan import Plan
from .rows import Row, failed, ok, skipped, warning

BUILD, POOL = "licence build", "licence pool"


def subjects(plan: Plan) -> list[tuple[str, str]]:
    """Return check and subject of each row."""
    spec = plan.launch_spec
    build = [(BUILD, spec.image_id or "none")] if spec.license_mode == "las" else []
    return [*build, *([(POOL, plan.license_demand)] if plan.license_demand else [])]


def build(plan: Plan, images: Sequence[Mapping[str, Any]]) -> Row:
    """Return whether the image's build knows the License Activation Service, as far as its name says."""
    subject, name = plan.launch_spec.image_id or "none", str(images[0].get("Name") or "") if images else ""
    found = parse_build(name)
    if found is None:
        return warning(
            BUILD, subject, f"the name of the image contains no build; {LICENSE_ACTIVATION} or newer is needed"
        )
    problem = license_problem(plan.launch_spec.license_mode, name)
    if problem:
        return failed(BUILD, subject, problem)
    return ok(BUILD, subject, f"build {found} knows the License Activation Service")


def pool(plan: Plan, launched: int) -> Row:
    """Return what the instances that are to be launched check out of the pool."""
    if not launched:
        return ok(POOL, plan.license_demand, "all its appliances are there: nothing more is checked out")
    return skipped(
        POOL,
        plan.license_demand,
        f"{launched} × {plan.license_demand} would be checked out; how much is left can be read only by an appliance "
        "that has a licence of this server (show ns licenseserverpool). From an exhausted pool a node gets none, and "
        "the playbook ends with the server's words",
    )
