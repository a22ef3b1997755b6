"""What the fault proxy asks of this side: names of operations, which are writes, and refusals in the appliance's own
words.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from tests.integration.lab_nitro.harness import Bench


def environ(method: str, path: str, **more: Any) -> dict[str, Any]:
    return EnvironBuilder(path=path, method=method, **more).get_environ()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nitro/v1/config/lbvserver/web", ("GET /config/lbvserver", False)),
        ("POST", "/nitro/v1/config/lbvserver", ("POST /config/lbvserver", True)),
        ("POST", "/nitro/v1/config/lbvserver?action=disable", ("POST /config/lbvserver?action=disable", True)),
        ("PUT", "/nitro/v1/config/ipset_nsip_binding", ("PUT /config/ipset_nsip_binding", True)),
        ("DELETE", "/nitro/v1/config/nsip/10.0.0.1?args=td:0", ("DELETE /config/nsip", True)),
        ("POST", "/nitro/v1/config/nsconfig?action=save", ("POST /config/nsconfig?action=save", True)),
        ("POST", "/nitro/v1/config/login", ("POST /config/login", False)),
        ("POST", "/nitro/v1/config/logout", ("POST /config/logout", False)),
        ("GET", "/nitro/v1/stat/ns", ("GET /stat/ns", False)),
        ("GET", "/menu/neo", ("GET /menu/neo", False)),
    ],
)
def test_operations_are_named_by_verb_and_type(
    bench: Bench, method: str, path: str, expected: tuple[str, bool]
) -> None:
    assert bench.side.describe(environ(method, path)) == expected


@pytest.mark.parametrize(
    ("login", "write"),
    [
        ({"username": "nsroot", "password": "a"}, False),
        ({"username": "nsroot", "password": "a", "new_password": ""}, False),
        ({"username": "nsroot", "password": "a", "new_password": "b"}, True),
        (["nsroot"], False),
    ],
)
def test_a_login_that_sets_a_password_is_a_write(bench: Bench, login: Any, write: bool) -> None:
    made = environ("POST", "/nitro/v1/config/login", json={"login": login})
    assert bench.side.describe(made) == ("POST /config/login", write)
    assert json.loads(made["wsgi.input"].read()) == {"login": login}
    of_old = environ("POST", "/nitro/v1/config/login", data={"object": json.dumps({"login": login})})
    assert bench.side.describe(of_old) == ("POST /config/login", write)


def test_describing_leaves_the_body_readable(bench: Bench) -> None:
    made = environ("POST", "/nitro/v1/config/ipset", json={"ipset": {"name": "x"}})
    bench.side.describe(made)
    assert json.loads(made["wsgi.input"].read()) == {"ipset": {"name": "x"}}


def test_invalid_requests_are_refused(bench: Bench) -> None:
    made = environ("GET", "/nitro/v1/config/nsip")
    status, headers, body = bench.side.refusal("throttle", made)
    assert (status[:3], json.loads(body)["errorcode"]) == ("503", 445)
    status, headers, body = bench.side.refusal("error", made)
    assert status[:3] == "503"
    assert dict(headers)["Content-Type"].startswith("text/html")
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(body)


def test_reset_forgets_everything(bench: Bench) -> None:
    bench.booted("i-0aaa", "127.77.1.10")
    bench.region.reset()
    bench.side.reset()
    assert bench.side.state() == {}
