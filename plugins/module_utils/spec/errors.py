# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the domain refuses, and in which words. ``str(error)`` is the sentence shown to users."""

from __future__ import annotations

from ..core.errors import Failure


class AutoscaleError(Failure):
    """Something handed in cannot be worked with; nothing has been changed."""


class PolicyError(AutoscaleError):
    """The policy contradicts itself or is incomplete."""


class SampleError(AutoscaleError):
    """A sample or a node count is not what it must be."""


class InstantError(AutoscaleError):
    """A point in time cannot be read, or lies where it must not."""


class RecordError(AutoscaleError):
    """A group's record is damaged, or was written by a newer version."""


class ReportError(AutoscaleError):
    """A report about an event that the record does not know."""


class RequestError(AutoscaleError):
    """What was asked for by hand cannot be done now, or not at all."""
