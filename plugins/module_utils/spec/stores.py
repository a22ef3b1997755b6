# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stores of group state, as a definition names them. What opens them is in ``stores/options.py``, by the same names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreKind:
    """One kind of store.

    Args:
        option: The suboption that says where it is.
        statement: The ending of the Sid of policy statements that only this store needs, empty for none.
        creatable: Whether suboption ``create`` makes it if it does not exist.
    """

    option: str
    statement: str = ""
    creatable: bool = False


#: Kind of store by its name in ``store.type``; the first one is the default.
STORES: dict[str, StoreKind] = {
    "file": StoreKind("path"),
    "dynamodb": StoreKind("table", "WithDynamodb", creatable=True),
}
DEFAULT_STORE = next(iter(STORES))
