"""A process that has loaded what playbooks need and forks itself for each: ``python -m tests.engine.server``.

One JSON object a line on standard input: ``{"argv": [...], "env": {...}, "cwd": "...", "out": "...", "measured": b}``.
Standard output gets ``{"pid": n}`` when the playbook has started, and ``{"pid": n, "code": n}`` when it has ended,
or ``{"error": "..."}`` if Ansible and the modules cannot be loaded.

Ansible reads its settings from the environment when it is imported. So the server forks one *template* for each
environment; the template imports Ansible and the collection's modules once, and forks itself for each playbook.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterable
from typing import IO, Any

#: Service models that the collection's modules load.
SERVICES = ("ec2", "elbv2", "route53", "iam", "sts", "dynamodb", "cloudwatch", "autoscaling")
#: More environments than this at a time are rare; a template holds some 150 MB.
MOST_TEMPLATES = 4
LOG_PATH = "ANSIBLE_LOG_PATH"
_answering = threading.Lock()


def preload() -> None:
    """Import what does not read Ansible's configuration, and keep what botocore reads from its files."""
    import boto3
    import jinja2
    import requests
    import yaml

    from tests import botocore_data

    del jinja2, requests, yaml
    botocore_data.keep()
    for service in SERVICES:  # a client of each, as its class is made of names that botocore remembers
        boto3.session.Session("none", "none", region_name="eu-central-1").client(service)


def serve() -> None:
    preload()
    templates: dict[str, Template] = {}
    for line in sys.stdin:
        env = json.loads(line)["env"]
        key = settings_of(env)
        template = templates.pop(key, None)
        if template is None or not template.send(line):
            template = Template(env)
            template.send(line)
        templates[key] = template  # the one used last is the last
        if len(templates) > MOST_TEMPLATES:
            templates.pop(next(iter(templates))).end()


def settings_of(env: dict[str, str]) -> str:
    """What Ansible and Python take from the environment once, in a process; the log's path can change later."""
    taken = {name: value for name, value in env.items() if name.startswith("ANSIBLE_")}
    taken |= {LOG_PATH: str(LOG_PATH in env), "PYTHONPATH": env.get("PYTHONPATH", ""), "HOME": env.get("HOME", "")}
    return json.dumps(taken, sort_keys=True)


class Template:
    """A fork that has imported Ansible with the settings of an environment and starts playbooks that have the same."""

    def __init__(self, env: dict[str, str]) -> None:
        read, write = os.pipe()
        if os.fork() == 0:
            os.close(write)
            _be_template(env, open(read))  # noqa: SIM115 (it lasts as long as the process)
        os.close(read)
        self._requests = write

    def send(self, line: str) -> bool:
        """Have a playbook started. Returns False if this template has ended."""
        try:
            os.write(self._requests, line.encode())
        except BrokenPipeError:
            return False
        return True

    def end(self) -> None:
        """Take no more requests; playbooks that run end as ever."""
        os.close(self._requests)


def _be_template(env: dict[str, str], requests: Iterable[str]) -> None:
    """Load, and fork for each request until there are no more. Never returns."""
    answers = os.fdopen(os.dup(1), "w")
    _become(env | ({LOG_PATH: os.devnull} if LOG_PATH in env else {}), os.devnull)
    try:
        from .modules import prepare

        prepare()
    except BaseException:  # noqa: BLE001 (a plugin that cannot be imported: its output goes nowhere)
        _answer(answers, {"error": traceback.format_exc()})
        os._exit(1)
    gc.freeze()  # so that no collection in a fork writes to what it shares with this process
    waiting = []
    for line in requests:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(request)
        _answer(answers, {"pid": pid})
        waiting.append(threading.Thread(target=_wait, args=(answers, pid), daemon=True))
        waiting[-1].start()
    for thread in waiting:
        thread.join()
    os._exit(0)


def _answer(answers: IO[str], message: dict[str, Any]) -> None:
    with _answering:
        print(json.dumps(message), file=answers, flush=True)


def _wait(answers: IO[str], pid: int) -> None:
    _pid, status = os.waitpid(pid, 0)
    _answer(answers, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _become(env: dict[str, str], out: str) -> None:
    """Take on this environment, and write to this file."""
    os.environ.clear()
    os.environ.update(env)
    paths = env.get("PYTHONPATH", "").split(":")
    sys.path[:0] = [path for path in paths if path and path not in sys.path]
    written = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    # closefd: a second call replaces these objects, and the files that they were about have new contents by then.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (they last as long as the process)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", buffering=1, closefd=False)  # noqa: SIM115


def _run(request: dict[str, Any]) -> None:
    """The fork: become the playbook, and never return."""
    code = 250
    try:
        os.setsid()
        os.chdir(request["cwd"])
        _become(request["env"], request["out"])
        from . import modules

        modules.MEASURED = request["measured"]
        if LOG_PATH in request["env"]:
            modules.log_to(request["env"][LOG_PATH])
        modules.main(request["argv"])
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
