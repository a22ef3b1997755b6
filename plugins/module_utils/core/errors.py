# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The exception tree of the collection. ``str(error)`` is the message for the user.

::

    Failure                     the desired state was not reached
    ├── Refusal                 nothing was written, because the request cannot be right
    ├── AwsError                aws.errors: a call that AWS refused or that never reached it
    ├── NitroError …            core.nitro_errors: an appliance or a console refused, or did not answer
    ├── StoreError …            stores.base: a store of group state refused
    └── AutoscaleError …        spec.errors: input to the policy engine that cannot be used
"""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """The desired state was not reached. ``str(error)`` is one message for the user, without a secret in it."""

    def codes(self) -> dict[str, Any]:
        """Return the error code of the other side, by the key it has in a failed result; empty if there is none."""
        return {}


class Refusal(Failure):
    """Nothing was written, because the request cannot be right or no longer holds."""
