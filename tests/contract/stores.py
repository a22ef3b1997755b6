"""Two implementations of DynamoDB over HTTP, moto and dynalite, one folder, and a clock that tests turn.

dynalite is there where ``tests/gates/dynalite.sh`` has installed it; else its cases say that they were left out.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from ansible_collections.cloudadc.aws.plugins.module_utils.stores import dynamodb, dynamodb_table
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.base import Key, Store
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.file import FileStore
from ansible_collections.cloudadc.aws.plugins.module_utils.stores.options import REGISTRY
from tests.lab.settings import CHECKOUT

#: Long enough not to be found by chance in anything that Ansible scrubs it from.
CREDENTIALS = {"aws_access_key_id": "AKIAEXAMPLEEXAMPLE00", "aws_secret_access_key": "moto-takes-anything-as-a-secret"}


class Clock:
    """Seconds since the epoch, as tests want them."""

    def __init__(self) -> None:
        self.now = 1772359200.0

    def __call__(self) -> float:
        return self.now


class OneAtATime:
    """moto, a request after the other.

    DynamoDB checks a condition and writes in one step that nothing comes between (developer guide, "Condition
    expressions"); moto does one and then the other, and two of its threads can both find the condition true.
    """

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with self._lock:
            return list(self._app(environ, start_response))


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, OneAtATime(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="session")
def dynalite_url() -> Iterator[str]:
    """dynalite on a free port: it takes 0 for its default, at which that of another worker may listen."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["node", str(DYNALITE), "--host", "127.0.0.1", "--port", str(port)]
    at_once = ["--createTableMs", "0", "--deleteTableMs", "0"]
    with subprocess.Popen([*command, *at_once], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line
        try:
            yield "http://" + line.strip().rpartition("http://")[2]
        finally:
            process.terminate()


DYNALITE = CHECKOUT / ".cache" / "dynalite" / "node_modules" / "dynalite" / "cli.js"
_LEFT_OUT = not DYNALITE.is_file() or shutil.which("node") is None
#: Implementations of DynamoDB, by the name of the fixture that runs them.
SERVERS = (
    "moto_url",
    pytest.param(
        "dynalite_url",
        marks=pytest.mark.skipif(_LEFT_OUT, reason="dynalite is left out: tests/gates/dynalite.sh installs it"),
    ),
)


def client_at(url: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=url, region_name="eu-central-1", **CREDENTIALS)


def new_table(client: Any) -> str:
    name = f"autoscale-{uuid.uuid4().hex[:8]}"
    assert dynamodb_table.create_table(client, name)
    return name


@pytest.fixture(params=SERVERS, ids=lambda name: name.removesuffix("_url"))
def client(request: pytest.FixtureRequest) -> Any:
    return client_at(request.getfixturevalue(request.param))


@pytest.fixture
def table(client: Any) -> str:
    return new_table(client)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Maker = Callable[..., Store]
#: Options of a module.
Options = dict[str, Any]


#: Every store of the registry; that of DynamoDB once for each implementation.
STORES = [param for kind in REGISTRY for param in (SERVERS if kind == "dynamodb" else (kind,))]


@pytest.fixture(params=STORES, ids=lambda name: name.removesuffix("_url"))
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Maker:
    """Make the store of a key, as each process would for itself; ``clock``: its own idea of the time."""
    if request.param == "file":
        return lambda group="shop", zone="a", clock=clock: FileStore(tmp_path / "s", Key(group, zone), clock=clock)
    client = client_at(request.getfixturevalue(request.param))
    table = new_table(client)
    return lambda group="shop", zone="a", clock=clock: dynamodb.DynamoStore(
        client, table, Key(group, zone), clock=clock
    )


@pytest.fixture
def spoil(store: Maker, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Callable[[], Any]]:
    """Damages what is stored for shop a by hand; returns what reads it raw."""

    def damage(text: str) -> Callable[[], Any]:
        where = store()
        if isinstance(where, FileStore):
            where.path.write_text(text)
            return where.path.read_text
        assert isinstance(where, dynamodb.DynamoStore)
        client, table = where._client, where.table
        key = {"group": {"S": "shop"}, "zone": {"S": "a"}}
        values = {**key, "document": {"S": text}, "version": {"N": "1"}, "fence": {"N": "1"}}
        client.put_item(TableName=table, Item={**values, "written_at": {"N": "0"}, "written_by": {"S": "hand"}})
        return lambda: client.get_item(TableName=table, Key=key)["Item"]

    return damage


@pytest.fixture(params=list(REGISTRY))
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Options:
    """Return the options of the module that choose a store."""
    if request.param == "file":
        return {"store": {"path": str(tmp_path / "s")}}
    url = request.getfixturevalue("moto_url")
    table = new_table(client_at(url))
    access = {"access_key": CREDENTIALS["aws_access_key_id"], "secret_key": CREDENTIALS["aws_secret_access_key"]}
    return {"store": {"type": "dynamodb", "table": table}, "endpoint_url": url, "region": "eu-central-1", **access}
