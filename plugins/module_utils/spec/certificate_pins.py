# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the certificates of appliances are checked: the variables of a pair and of a group, read once. Pure."""

from __future__ import annotations

from typing import Any

from ..core.fingerprints import PIN, VERIFY, canonical
from ..core.nitro_errors import NitroInputError
from .reading import Reader


def read_pinning(reader: Reader) -> dict[str, Any]:
    """Return ``management_tls`` and ``accept_fingerprints``, and note what cannot be."""
    mode = reader.choice("management_tls", (VERIFY, PIN), VERIFY)
    accepted = []
    for text in reader.texts("accept_fingerprints"):
        try:
            accepted.append(canonical(text, f"{reader.where}accept_fingerprints"))
        except NitroInputError as error:
            reader.problems.append(f"{error}.")
    if mode == PIN and reader.text("nitro_protocol", "https") == "http":
        reader.problems.append(f"{reader.where}management_tls=pin needs {reader.where}nitro_protocol=https.")
    return {"management_tls": mode, "accept_fingerprints": accepted}
