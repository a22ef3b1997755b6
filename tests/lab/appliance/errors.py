"""NITRO errors: the number, the vendor's sentence, and the HTTP status it travels with.

Statuses follow recorded replies: argument errors 400, credentials 401, authorisation 403, absent 404, present already
409, everything else 599 "Netscaler specific error" (vendor NITRO docs 12.1, error-and-exception-handling).
"""

from __future__ import annotations

import json
from pathlib import Path

MESSAGES: dict[int, str] = {
    int(code): text for code, text in json.loads((Path(__file__).parent / "data" / "errors.json").read_text()).items()
}

_STATUS = {
    400: (1074, 1090, 1091, 1092, 1093, 1095, 1097, 1108, 1109, 1110, 1232, 1233, 1234, 1240),
    401: (354, 355, 444, 1027, 1046, 1244),
    403: (2138,),
    404: (258,),
    409: (273, 1335, 1642),
}
STATUS_OF = {code: status for status, codes in _STATUS.items() for code in codes}

REASONS = {
    200: "OK",
    201: "Created",
    207: "Multi Status",
    209: "X-NITRO-WARNING",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    503: "Service Unavailable",
    599: "Netscaler specific error",
}


class NitroFault(Exception):
    """A refusal: ``detail`` is what the vendor puts in brackets, e.g. ``[name, web]``."""

    def __init__(self, code: int, *detail: object, message: str = "") -> None:
        self.code = code
        self.status = STATUS_OF.get(code, 599)
        text = message or MESSAGES.get(code, "Internal error")
        self.message = f"{text} [{', '.join(str(part) for part in detail)}]" if detail else text
        super().__init__(f"{code} {self.message}")
