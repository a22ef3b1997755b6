# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the certificates of appliances are checked: the variables of a pair and of a group, read once. Pure."""

from __future__ import annotations

from typing import Any

from ..core.fingerprints import PIN, VERIFY, canonical
from ..core.nitro_errors import NitroInputError
from .certificates import compare, form_problems
from .reading import Reader

_CERTIFICATE_KEYS = ("content", "key", "passphrase")


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
    _check_certificate(reader)
    return {"management_tls": mode, "accept_fingerprints": accepted}


def _check_certificate(reader: Reader) -> None:
    """Note what is wrong with the management certificate; nothing of it is kept or quoted."""
    given, name = reader.mapping("management_certificate"), f"{reader.where}management_certificate"
    if not given:
        return
    option = Reader(given, reader.problems, f"{name}.", _CERTIFICATE_KEYS)
    option.unknown(_CERTIFICATE_KEYS)
    content, key, passphrase = str(given.get("content") or ""), str(given.get("key") or ""), given.get("passphrase")
    problems = form_problems(content, key, passphrase) or compare(content, key, passphrase).problems
    reader.problems += [f"{problem.replace('certificate.', f'{name}.')}." for problem in problems]
