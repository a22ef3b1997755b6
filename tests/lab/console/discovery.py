"""How the console takes an appliance in: it logs in with the profile's credentials and looks around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from .wire import Row

ANSWER_SECONDS = 5.0


class Undiscovered(Exception):
    """Why an appliance could not be taken in, as the activity's message says it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a device profile holds: how to reach NITRO and be let in. ``ca_path``: what the console trusts."""

    username: str
    password: str
    https_port: str
    ca_path: str


def discover(address: str, credentials: Credentials) -> Row:
    """What a registered device is listed with. Raises Undiscovered."""
    base = f"https://{address}:{credentials.https_port}/nitro/v1/config"
    with requests.Session() as http:
        http.trust_env = False
        http.verify = credentials.ca_path
        login = {"login": {"username": credentials.username, "password": credentials.password}}
        token = _ask(http, address, "POST", f"{base}/login", login).get("sessionid")
        http.headers["Cookie"] = f"NITRO_AUTH_TOKEN={token}"
        try:
            version = _ask(http, address, "GET", f"{base}/nsversion").get("nsversion", {})
            host = _ask(http, address, "GET", f"{base}/nshostname").get("nshostname", [{}])
        finally:
            http.post(f"{base}/logout", json={"logout": {}}, timeout=ANSWER_SECONDS)
    first = host[0] if isinstance(host, list) else host
    return {"version": str(version.get("version", "")), "hostname": str(first.get("hostname", ""))}


def _ask(http: requests.Session, address: str, method: str, url: str, body: Any = None) -> dict[str, Any]:
    try:
        answer = http.request(method, url, json=body, timeout=ANSWER_SECONDS)
        found: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError):
        raise Undiscovered(f"Device {address} is not reachable.") from None
    if not answer.ok:
        raise Undiscovered(f"Login to device {address} failed: {found.get('message', answer.reason)}")
    return found
