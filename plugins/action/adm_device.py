# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs module adm_device in the process of its task."""

from __future__ import annotations

from ..modules import adm_device
from ..plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module, in the process of its task."""

    main = staticmethod(adm_device.main)
