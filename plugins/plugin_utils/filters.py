# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Loads the filters of the collection in Ansible's main process, so that the fork of each task has them.

For the first filter of a template Ansible loads all filters of its collection, with what they import. In a fork that is
done for this task alone, and again for the next one. So what the main process loads first calls this.
"""

from __future__ import annotations

import importlib
import pkgutil

from .. import filter as package


def load_filters() -> None:
    """Import the files of plugins/filter; those that are imported already cost nothing."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
