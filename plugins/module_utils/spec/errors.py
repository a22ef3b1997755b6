# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validation errors of the policy engine. ``str(error)`` is the message for the user."""

from __future__ import annotations

from ..core.errors import Failure


class AutoscaleError(Failure):
    """The input cannot be used; nothing has been changed."""


class PolicyError(AutoscaleError):
    """The policy contradicts itself or is incomplete."""


class SampleError(AutoscaleError):
    """A sample or a node count is not what it must be."""


class InstantError(AutoscaleError):
    """A point in time cannot be read, or lies where it must not."""


class RecordError(AutoscaleError):
    """A group's record is damaged, or was written by a newer version."""


class ReportError(AutoscaleError):
    """A report about an event that the group state does not hold."""


class OvertakenError(ReportError):
    """The event was taken over by another run; the report was refused and changed nothing."""


class RequestError(AutoscaleError):
    """The manual request cannot be carried out now, or not at all."""
