"""The lab's console with plain requests, and an appliance that it can take in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.integration.modules.appliances import Box, launch
from tests.lab.client import LabClient, wait_for

OWN_ADDRESS = "127.0.0.1"


@dataclass
class Rest:
    """Requests to the console as on premises; ``prefix`` makes them the service's."""

    lab: LabClient
    prefix: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    http: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        self.http.trust_env = False
        url = f"{self.lab.adm_url}{self.prefix}/nitro/v2/config/{path}"
        options = {"json": body, "headers": self.headers, "verify": self.lab.ca_path, "timeout": 10, **more}
        return self.http.request(method, url, **options)

    def rows(self, kind: str, ident: str = "") -> list[dict[str, Any]]:
        answer = self.ask("GET", f"{kind}/{ident}" if ident else kind)
        assert answer.ok, answer.text
        found: list[dict[str, Any]] = answer.json()[kind]
        return found

    def login(self, **credentials: str) -> requests.Response:
        given = credentials or {
            "username": self.lab.env["LAB_ADM_USER"],
            "password": self.lab.env["LAB_ADM_PASSWORD"],
        }
        answer = self.ask("POST", "login", {"login": given})
        if answer.ok:
            self.headers["Cookie"] = f"NITRO_AUTH_TOKEN={answer.json()['login'][0]['sessionid']}"
        return answer

    def register(self, address: str, **more: str) -> str:
        """Return the id of the activity."""
        device = {"ip_address": address, "profile_name": "lab", **more}
        answer = self.ask("POST", "managed_device", {"params": {"action": "add_device"}, "managed_device": device})
        assert answer.status_code == 200, answer.text
        act_id: str = answer.json()["managed_device"][0]["act_id"]
        return act_id

    def last_line(self, act_id: str) -> dict[str, Any]:
        """Return the closing line of an activity, once it is there."""

        def closing() -> dict[str, Any] | None:
            lines = self.rows("activity_status", act_id)
            return next((line for line in lines if line["is_last"] == "true"), None)

        return wait_for(closing, f"the activity {act_id} ends")


@pytest.fixture
def rest(fresh_lab: LabClient) -> Iterator[Rest]:
    """Logged in."""
    rest = Rest(fresh_lab)
    assert rest.login().ok
    yield rest
    rest.http.close()


@pytest.fixture
def box(fresh_lab: LabClient) -> Box:
    """Return an appliance with the password that the console's profile ``lab`` holds."""
    box = launch(fresh_lab)[0]
    wait_for(lambda: box.state()["stage"] == "ready", f"{box.instance_id} has booted")
    made = box.bootstrap(new_password=fresh_lab.env["NETSCALER_NITRO_PASS"], hostname="web-a-0")
    assert not made["failed"], made.result
    return box
