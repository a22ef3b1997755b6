# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs module vpx_ha_remove_routes in the process of its task."""

from __future__ import annotations

from ..modules import vpx_ha_remove_routes
from ..plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module, in the process of its task."""

    main = staticmethod(vpx_ha_remove_routes.main)
