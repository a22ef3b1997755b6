# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters: the state of an autoscale group to the work of each step, and to a summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..module_utils.reconcile import group_steps
from ..module_utils.reconcile.group_summary import application_summary, group_summary


def zone_steps(
    state: Mapping[str, Any],
    zone: str,
    instances: Sequence[Mapping[str, Any]] | None = None,
    applications: Sequence[Mapping[str, Any]] = (),
    only_new: bool = False,
    served: Mapping[str, Any] | None = None,
    bootstrapped: Mapping[str, Any] | None = None,
    done: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the work of each step of a scale-out in one zone."""
    return group_steps.zone_steps(
        state,
        state["instances"] if instances is None else instances,
        zone,
        applications=applications,
        only_new=only_new,
        configured=served,
        bootstrapped=bootstrapped,
        done=done,
    )


def application_steps(
    state: Mapping[str, Any],
    applications: Sequence[Mapping[str, Any]] = (),
    draining: bool = False,
    listeners: Sequence[Mapping[str, Any]] = (),
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the work of each step of a deployment of applications on all nodes in service."""
    return group_steps.deployment_steps(state, applications, draining=draining, listeners=listeners, only=only)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions."""
        return {
            "zone_steps": zone_steps,
            "application_steps": application_steps,
            "group_summary": group_summary,
            "application_summary": application_summary,
        }
