"""A fake of AWX's API, as far as collection awx.awx speaks to it: objects in memory, refused where AWX would refuse.

It runs no job. ``Fake.objects`` has what was loaded, ``Fake.writes`` each call that changed something.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.awx import rules
from tests.awx.shipped import PROJECT
from tests.lab.settings import CHECKOUT

PREFIX = "/api/v2/"
_TYPES = {
    "organizations": "organization",
    "credential_types": "credential_type",
    "credentials": "credential",
    "execution_environments": "execution_environment",
    "notification_templates": "notification_template",
    "projects": "project",
    "inventories": "inventory",
    "hosts": "host",
    "groups": "group",
    "job_templates": "job_template",
    "workflow_job_templates": "workflow_job_template",
    "workflow_job_template_nodes": "workflow_job_template_node",
    "schedules": "schedule",
}
# What unified_job_templates lists.
_RUNNABLE = ("projects", "job_templates", "workflow_job_templates")
_JSON = "application/json"

Answer = tuple[int, Any]


class Refused(Exception):
    """AWX's 400, with its sentences."""


def playbook_files() -> set[str]:
    """What AWX would list as playbooks of this collection's own repository, of the folder the templates name."""
    return {str(path.relative_to(CHECKOUT)) for path in PROJECT.glob("*.yml")}


class Fake:
    """The state and the answers. Safe to be asked by several threads."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in _TYPES}
        self.members: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], dict[str, Any]] = {}
        self.writes: list[tuple[str, str]] = []
        self._ids = iter(range(1, 100_000))
        self._lock = threading.Lock()
        self._create("organizations", {"name": "Default"})
        self._create("credentials", {"name": "aws"})
        self._create("credentials", {"name": "nitro"})

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """The one object of this kind and name."""
        [found] = [item for item in self.objects[kind].values() if item["name"] == name]
        return found

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        parts = path.removeprefix(PREFIX).strip("/").split("/")
        with self._lock:
            if method != "GET":
                self.writes.append((method, path))
            try:
                return self._route(method, parts, query, body)
            except Refused as refused:
                return 400, {"__all__": [str(refused)]}

    def _route(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Answer:
        kind = parts[0]
        if kind == "project_updates":
            return 200, {"status": "successful", "finished": True, "failed": False}
        if kind == "unified_job_templates":
            return 200, _page([item for each in _RUNNABLE for item in self._found(each, query)])
        if kind not in _TYPES:
            return 404, {"detail": "Not found."}
        if len(parts) == 1:
            return (200, _page(self._found(kind, query))) if method == "GET" else (201, self._create(kind, body))
        number = int(parts[1])
        if number not in self.objects[kind]:
            return 404, {"detail": "Not found."}
        if len(parts) == 2:
            return 200, self._shown(kind, number) if method == "GET" else self._change(kind, number, body)
        return self._below(method, (kind, number, parts[2]), body)

    def _below(self, method: str, where: tuple[str, int, str], body: Any) -> Answer:
        kind, number, name = where
        if name == "survey_spec":
            if method == "GET":
                return 200, self.surveys.get((kind, number), {})
            _refuse(rules.survey(body))
            self.surveys[kind, number] = body
            return 200, {}
        members = self.members.setdefault(where, [])
        if method == "GET":
            return 200, _page([{"id": member} for member in members])
        if body.get("disassociate"):
            members.remove(body["id"])
        else:
            members.append(body["id"])
        return 204, None

    def _found(self, kind: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        desired = {key: value for key, value in query.items() if key not in ("page_size", "page")}
        unknown = [key for key in desired if not re.fullmatch(r"[a-z_]+", key) or key.startswith("or__")]
        if unknown:
            raise Refused(f"the fake knows no filter {', '.join(unknown)}")
        return [
            self._shown(kind, number)
            for number, item in self.objects[kind].items()
            if all(str(item.get(key)) == value for key, value in desired.items())
        ]

    def _shown(self, kind: str, number: int) -> dict[str, Any]:
        """As AWX shows it: what is secret is replaced."""
        shown = json.loads(json.dumps(self.objects[kind][number]))
        configuration = shown.get("notification_configuration", {})
        if configuration.get("password"):
            configuration["password"] = "$encrypted$"
        if kind == "projects":
            shown["summary_fields"] = {"current_update": {"id": number}}
            shown["scm_revision"] = "0" * 40
        found: dict[str, Any] = shown
        return found

    def _create(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._judge(kind, body, number=None)
        number = next(self._ids)
        url = f"{PREFIX}{kind}/{number}/"
        related = {name: f"{url}{name}/" for name in ("survey_spec", "hosts", "children", "update")}
        self.objects[kind][number] = {
            **body,
            "id": number,
            "type": _TYPES[kind],
            "url": url,
            "related": related,
            "summary_fields": {},
        }
        return self._shown(kind, number)

    def _change(self, kind: str, number: int, body: Mapping[str, Any]) -> dict[str, Any]:
        self._judge(kind, {**self.objects[kind][number], **body}, number=number)
        self.objects[kind][number].update(body)
        return self._shown(kind, number)

    def _judge(self, kind: str, body: Mapping[str, Any], number: int | None) -> None:
        """Refuse what AWX refuses."""
        scope = [key for key in ("organization", "inventory", "workflow_job_template") if key in body]
        name = "identifier" if kind == "workflow_job_template_nodes" else "name"
        for other, item in self.objects[kind].items():
            if other != number and all(item.get(key) == body.get(key) for key in (name, *scope)):
                raise Refused(f"{kind}: {body.get(name)} is there already")
        if kind == "credential_types":
            _refuse(rules.credential_type(body))
        if kind == "schedules":
            _refuse(rules.rrule(body["rrule"]))
        if kind == "job_templates":
            _refuse(_template(body))
        for key in ("variables", "extra_vars"):
            if not isinstance(json.loads(body.get(key) or "{}"), dict):
                raise Refused(f"{key} is no dictionary")


def _template(body: Mapping[str, Any]) -> list[str]:
    wrong = []
    if body["playbook"] not in playbook_files():
        wrong.append(f"playbook {body['playbook']} is not in the project")
    if not body.get("inventory") and not body.get("ask_inventory_on_launch"):
        wrong.append("inventory is missing, and none is asked for")
    return wrong


def _refuse(messages: list[str]) -> None:
    if messages:
        raise Refused("; ".join(messages))


def _page(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(items), "next": None, "previous": None, "results": items}


@contextmanager
def served(fake: Fake) -> Iterator[str]:
    """The fake over HTTP on a free port of loopback; its address, for CONTROLLER_HOST."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_all(self) -> None:
            split = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"null")
            status, content = fake.answer(self.command, split.path, dict(parse_qsl(split.query)), body)
            sent = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", _JSON)
            self.send_header("Content-Length", str(len(sent)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_all

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
