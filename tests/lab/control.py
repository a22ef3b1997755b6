"""The lab's own interface, on LAB_URL: JSON in and out, and a sentence with status 400 for what makes no sense."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from tests.lab import faults, killer
from tests.lab.world import Environ

FIGURES = ("cpu", "memory", "throughput", "connections")
SELECTORS = ("zone", "instance_id", "all")
# The sides that have settings.
COMPLETED = ("aws", "nitro")

Body = Mapping[str, Any]
T = TypeVar("T")


class Controls(Protocol):
    """What the control interface can do to the lab."""

    def state(self) -> dict[str, Any]: ...
    def reset(self) -> dict[str, Any]: ...
    def keep(self, name: str) -> dict[str, Any]: ...
    def restore(self, name: str) -> dict[str, Any]: ...
    def set_latency(self, seconds: dict[str, float]) -> dict[str, Any]: ...
    def set_pace(self, factor: float) -> dict[str, Any]: ...
    def set_load(self, selector: dict[str, str], figures: dict[str, float]) -> list[str]: ...
    def set_power(self, instance_id: str, on: bool) -> None: ...
    def set_backend(self, name: str, up: bool) -> None: ...
    def set_faults(self, plan: faults.Plan) -> dict[str, Any]: ...
    def release(self) -> dict[str, Any]: ...
    def resolve(self, name: str) -> dict[str, Any]: ...
    def set_settings(self, given: Mapping[str, Any]) -> dict[str, Any]: ...


class Control:
    """The WSGI application."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._routes: dict[tuple[str, str], Callable[[Body], dict[str, Any]]] = {
            ("GET", "/lab/state"): lambda body: controls.state(),
            ("POST", "/lab/reset"): lambda body: controls.reset(),
            ("POST", "/lab/keep"): self._keep,
            ("POST", "/lab/restore"): self._restore,
            ("POST", "/lab/latency"): self._latency,
            ("POST", "/lab/pace"): self._pace,
            ("POST", "/lab/load"): self._load,
            ("POST", "/lab/power"): self._power,
            ("POST", "/lab/faults"): self._faults,
            ("POST", "/lab/release"): lambda body: controls.release(),
            ("POST", "/lab/backends"): self._backends,
            ("POST", "/lab/resolve"): self._resolve,
            ("POST", "/lab/settings"): self._settings,
        }

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        status, answer = self._answer(environ)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode() + b"\n"]

    def _answer(self, environ: Environ) -> tuple[str, dict[str, Any]]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/")
        route = self._routes.get((method, path))
        if route is None:
            known = ", ".join(" ".join(known) for known in self._routes)
            status = "405 Method Not Allowed" if any(path == p for _ignored, p in self._routes) else "404 Not Found"
            return status, {"error": f"there is no {method} {path} here; there is {known}"}
        try:
            return "200 OK", route(_body(environ))
        except ValueError as error:
            return "400 Bad Request", {"error": str(error)}

    def _keep(self, body: Body) -> dict[str, Any]:
        return self._controls.keep(_name(body, "keep"))

    def _restore(self, body: Body) -> dict[str, Any]:
        name = _name(body, "restore")
        return _known(lambda: self._controls.restore(name), {"name": name}, "kept state")

    def _latency(self, body: Body) -> dict[str, Any]:
        _only(body, faults.SIDES, "latency")
        most = faults.LATENCY_LIMIT_SECONDS
        return self._controls.set_latency({side: faults.number(body[side], side, most=most) for side in body})

    def _pace(self, body: Body) -> dict[str, Any]:
        _only(body, ("factor",), "pace")
        return self._controls.set_pace(faults.number(body.get("factor"), "factor", least=0.001, most=100_000))

    def _load(self, body: Body) -> dict[str, Any]:
        _only(body, SELECTORS + FIGURES, "load")
        selectors = [name for name in SELECTORS if name in body]
        if len(selectors) != 1:
            raise ValueError(f"load takes exactly one of {', '.join(SELECTORS)}, not {', '.join(selectors) or 'none'}")
        figures = {name: faults.number(body[name], name) for name in FIGURES if name in body}
        if not figures:
            raise ValueError(f"load takes at least one of {', '.join(FIGURES)}")
        selector = {selectors[0]: str(body[selectors[0]])}
        touched = _known(lambda: self._controls.set_load(selector, figures), selector)
        # A zone, or all, is also about appliances to come; an instance that is not there is a mistake.
        if not touched and "instance_id" in selector:
            raise ValueError(f"there is no appliance with instance_id {selector['instance_id']}")
        return {"instances": touched}

    def _power(self, body: Body) -> dict[str, Any]:
        _only(body, ("instance_id", "on"), "power")
        instance, on = body.get("instance_id"), body.get("on")
        if not isinstance(instance, str) or not isinstance(on, bool):
            raise ValueError('power takes {"instance_id": "i-…", "on": true or false}')
        _known(lambda: self._controls.set_power(instance, on), {"instance_id": instance})
        return {"instance_id": instance, "on": on}

    def _backends(self, body: Body) -> dict[str, Any]:
        _only(body, ("name", "up"), "backends")
        name, up = body.get("name"), body.get("up")
        if not isinstance(name, str) or not isinstance(up, bool):
            raise ValueError('backends takes {"name": "backend-1", "up": true or false}')
        _known(lambda: self._controls.set_backend(name, up), {"name": name}, "back end")
        return {"name": name, "up": up}

    def _resolve(self, body: Body) -> dict[str, Any]:
        _only(body, ("name",), "resolve")
        name = body.get("name")
        if not isinstance(name, str) or not name.strip("."):
            raise ValueError('resolve takes {"name": "www.example.com"}')
        return self._controls.resolve(name)

    def _settings(self, body: Body) -> dict[str, Any]:
        _only(body, COMPLETED, "settings")
        return self._controls.set_settings(body)

    def _faults(self, body: Body) -> dict[str, Any]:
        plan = faults.parse(body)
        if plan.kill is not None:
            reason = killer.may_kill(plan.kill.pid)
            if reason:
                raise ValueError(reason)
        return self._controls.set_faults(plan)


def _known(do: Callable[[], T], selector: Mapping[str, str], what: str = "appliance") -> T:
    try:
        return do()
    except LookupError as error:
        (kind, value), *_ignored = selector.items()
        raise ValueError(f"there is no {what} with {kind} {value}") from error


def _name(body: Body, what: str) -> str:
    _only(body, ("name",), what)
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError(f'{what} takes {{"name": "a name"}}')
    return name


def _only(body: Body, names: Iterable[str], what: str) -> None:
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise ValueError(f"unknown key {', '.join(unknown)}: {what} takes {', '.join(names)}")


def _body(environ: Environ) -> Body:
    raw = environ["wsgi.input"].read()
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body
