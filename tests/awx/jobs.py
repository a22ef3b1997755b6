"""Jobs as AWX runs them: a private data directory, sent to a worker by ansible-runner, whose stream comes back.

What AWX puts in that directory is made here the same way: the project's files, the inventory as a script, what the
credentials inject, the survey's answers as extra variables. What is missing of AWX is the container.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.awx.shipped import PROJECT, variables
from tests.lab.client import LabClient

RUNNER = str(Path(sys.executable).parent / "ansible-runner")
# The folder that settings.yml names, in a project that is this collection's repository.
FOLDER = str(variables()["cloudadc_awx_project_folder"])
INVENTORY_SCRIPT = "#!/usr/bin/env python3\nprint({!r})\n"


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential of a type that is shipped, and its inputs."""

    kind: str
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch by an operator or a schedule. ``answers``: to the survey; other questions have their defaults.

    ``inventory``: as AWX's script prints it. ``options``: further arguments of ansible-playbook.
    """

    template: str
    inventory: dict[str, Any]
    credentials: Sequence[Credential] = ()
    answers: dict[str, Any] = field(default_factory=dict)
    options: str = "-vvv"
    job_id: int = 4711


@dataclass(frozen=True, slots=True)
class Done:
    """A job that has ended: its exit code, what it said, and the bytes of all that was kept of it, by file."""

    code: int
    message: str
    kept: dict[str, bytes]


class Jobs:
    """Runs jobs in folders below ``directory``, each in its own, on a lab."""

    def __init__(self, lab: LabClient, directory: Path) -> None:
        self._lab, self._directory = lab, directory
        self._count = 0

    def run(self, launch: Launch) -> Done:
        self._count += 1
        base = self._directory / f"job-{self._count}"
        sent, worker, back = base / "sent", base / "worker", base / "back"
        _lay(sent, worker, launch, self._cloud())
        playbook = f"{FOLDER}{launch.template}.yml"
        outward = self._runner("transmit", str(sent), "-p", playbook, "--ident", "1", feed=b"")
        homeward = self._runner("worker", "--private-data-dir", str(worker), feed=outward, code=None)
        back.mkdir()
        self._runner("process", str(back), "--ident", "1", feed=homeward, code=None)
        artifacts = back / "artifacts" / "1"
        kept = {str(path.relative_to(back)): path.read_bytes() for path in back.rglob("*") if path.is_file()}
        code = int((artifacts / "rc").read_text())
        return Done(code, (artifacts / "stdout").read_text(), kept)

    def _cloud(self) -> dict[str, str]:
        """What AWX's own credential type for Amazon Web Services puts into the environment; and where the lab is."""
        return {name: value for name, value in self._lab.env.items() if name.startswith("AWS_")}

    def _runner(self, *words: str, feed: bytes, code: int | None = 0) -> bytes:
        foreign = ("AWS_", "NETSCALER_", "LAB_")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        run = subprocess.run(
            [RUNNER, *words],
            input=feed,
            cwd=self._directory,
            env={**environ, "ANSIBLE_HOME": str(self._directory / "ansible"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            check=False,
            timeout=800,
        )
        assert code is None or run.returncode == code, run.stderr.decode()
        return run.stdout


def _lay(sent: Path, worker: Path, launch: Launch, cloud: Mapping[str, str]) -> None:
    """The private data directory; paths in it are those of the worker."""
    shutil.copytree(PROJECT, sent / "project" / FOLDER)
    for folder in ("env", "inventory"):
        (sent / folder).mkdir()
    script = sent / "inventory" / "hosts"
    script.write_text(INVENTORY_SCRIPT.format(json.dumps(launch.inventory)))
    script.chmod(0o700)
    options = [launch.options]
    environ = dict(cloud)
    for number, credential in enumerate(launch.credentials):
        environ |= _inject(sent, worker, credential, f"credential{number}")
        options.append(f"-e @{worker}/env/credential{number}")
    (sent / "env" / "cmdline").write_text(" ".join(options))
    (sent / "env" / "envvars").write_text(json.dumps(environ))
    (sent / "env" / "extravars").write_text(json.dumps(_extra_variables(launch)))


def _extra_variables(launch: Launch) -> dict[str, Any]:
    """The template's own, the survey's answers as strings, and those by which a job knows itself."""
    shipped = variables()
    [template] = [each for each in shipped["controller_templates"] if each["name"] == f"cloudadc {launch.template}"]
    questions = {each["variable"]: each for each in shipped["cloudadc_awx_surveys"][launch.template]["spec"]}
    assert launch.answers.keys() <= questions.keys()
    answers = {name: launch.answers.get(name, question.get("default")) for name, question in questions.items()}
    missing = [name for name, answer in answers.items() if answer is None]
    assert not missing, f"not answered: {missing}"
    reported = {name: str(answer) for name, answer in answers.items()}
    itself = {"awx_job_id": launch.job_id, "awx_job_template_name": template["name"], "awx_user_name": "operator"}
    return {**template.get("extra_vars", {}), **reported, **itself}


def _inject(sent: Path, worker: Path, credential: Credential, name: str) -> dict[str, str]:
    """What AWX makes of a credential: files, a file of extra variables, and the environment, which is returned."""
    [kind] = [each for each in variables()["controller_credential_types"] if each["name"] == credential.kind]
    assert credential.inputs.keys() <= {each["id"] for each in kind["inputs"]["fields"]}
    sandbox = ImmutableSandboxedEnvironment()
    known: dict[str, Any] = {key: value for key, value in credential.inputs.items() if value not in ("", None)}
    files: dict[str, str] = {}

    def render(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: render(value) for key, value in node.items()}
        return sandbox.from_string(node).render(**known, tower={"filename": files})

    for label, template in kind["injectors"].get("file", {}).items():
        file = f"{name}-{label}"
        (sent / "env" / file).write_text(render(template))
        files[label.partition(".")[2]] = str(worker / "env" / file)
    (sent / "env" / name).write_text(json.dumps(render(kind["injectors"].get("extra_vars", {}))))
    environ: dict[str, str] = render(kind["injectors"].get("env", {}))
    return environ


def inventory(definition: Mapping[str, Any]) -> dict[str, Any]:
    """AWX's script for an inventory without hosts, whose variables are a definition."""
    return {"_meta": {"hostvars": {}}, "all": {"vars": dict(definition), "children": ["ungrouped"]}}


def zones(definition: Mapping[str, Any], slice_number: int = 1, slices: int = 1) -> dict[str, Any]:
    """AWX's script for the inventory of zones: of its hosts every ``slices``-th, as job slicing deals them out."""
    name = definition["autoscale_group_name"]
    hosts = {
        f"{name}@{zone['name']}": {**definition, "autoscale_group_zone": zone}
        for zone in definition["autoscale_group_zones"]
    }
    mine = sorted(hosts)[slice_number - 1 :: slices]
    return {
        "_meta": {"hostvars": {host: hosts[host] for host in mine}},
        "all": {"children": ["cloudadc_zones"]},
        "cloudadc_zones": {"hosts": mine},
    }
