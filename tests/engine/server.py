"""A process that has loaded what playbooks need and forks itself for each: ``python -m tests.engine.server``.

One JSON object a line on standard input: ``{"argv": [...], "env": {...}, "cwd": "...", "out": "..."}``. Standard
output gets ``{"pid": n}`` when the playbook has started, and ``{"pid": n, "code": n}`` when it has ended.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
from typing import Any

#: Service models that the collection's modules load.
SERVICES = ("ec2", "elbv2", "route53", "iam", "sts", "dynamodb", "cloudwatch", "autoscaling")
_answering = threading.Lock()


def preload() -> None:
    """Import what does not read Ansible's configuration, and keep what botocore reads from its files."""
    import boto3
    import botocore.loaders
    import jinja2
    import requests
    import yaml

    del boto3, jinja2, requests, yaml
    load = botocore.loaders.JSONFileLoader.load_file
    shared = functools.cache(lambda path: load(botocore.loaders.JSONFileLoader(), path))
    botocore.loaders.JSONFileLoader.load_file = lambda self, path: shared(path)
    loader = botocore.loaders.Loader()
    for service in SERVICES:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")


def serve() -> None:
    preload()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(request)
        _answer({"pid": pid})
        threading.Thread(target=_wait, args=(pid,), daemon=True).start()


def _answer(message: dict[str, Any]) -> None:
    with _answering:
        print(json.dumps(message), flush=True)


def _wait(pid: int) -> None:
    _pid, status = os.waitpid(pid, 0)
    _answer({"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _run(request: dict[str, Any]) -> None:
    """The fork: become the playbook, and never return."""
    code = 250
    try:
        os.setsid()
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (out, 2)):
            os.dup2(source, target)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 (they last as long as the process)
        paths = request["env"].get("PYTHONPATH", "").split(":")
        sys.path[:0] = [path for path in paths if path and path not in sys.path]
        from .modules import main

        main(request["argv"])
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
