"""The files a lab leaves for those who use it: shell exports, and variables for the playbooks."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab.console import Account
from tests.lab.settings import CHECKOUT

_NO_PROXY = "127.0.0.0/8,127.0.0.1,localhost"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a running lab answers, and the secrets its clients use (random, this lab's own)."""

    directory: Path
    control_url: str
    aws_url: str
    nitro_port: int
    console_url: str
    console: Account
    region: str
    access_key_id: str
    secret_access_key: str
    password: str
    rpc_password: str

    @property
    def ca_path(self) -> Path:
        return self.directory / "ca.pem"


def environment(where: Whereabouts, inherited: Mapping[str, str]) -> dict[str, str]:
    """What a shell needs so that plain ``ansible-playbook`` and ``aws`` talk to this lab."""
    proxies = [inherited[name] for name in ("no_proxy", "NO_PROXY") if inherited.get(name)][:1]
    return {
        "AWS_ENDPOINT_URL": where.aws_url,
        "AWS_REGION": where.region,
        "AWS_DEFAULT_REGION": where.region,
        "AWS_ACCESS_KEY_ID": where.access_key_id,
        "AWS_SECRET_ACCESS_KEY": where.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NETSCALER_NITRO_USER": "nsroot",
        "NETSCALER_NITRO_PASS": where.password,
        "NETSCALER_NITRO_PROTOCOL": "https",
        "NETSCALER_VALIDATE_CERTS": "true",
        "LAB_DIR": str(where.directory),
        "LAB_URL": where.control_url,
        "LAB_NITRO_PORT": str(where.nitro_port),
        "LAB_CA": str(where.ca_path),
        "LAB_ADM_URL": where.console_url,
        "LAB_ADM_PORT": where.console_url.rpartition(":")[2],
        "LAB_ADM_USER": where.console.user,
        "LAB_ADM_PASSWORD": where.console.password,
        "LAB_ADM_CUSTOMER": where.console.customer,
        "LAB_ADM_CLIENT_ID": where.console.client_id,
        "LAB_ADM_CLIENT_SECRET": where.console.client_secret,
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".tree"),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_NOCOWS": "1",
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "NO_PROXY": ",".join([_NO_PROXY, *proxies]),
        "no_proxy": ",".join([_NO_PROXY, *proxies]),
    }


def write_environment(path: Path, exports: Mapping[str, str]) -> None:
    lines = ["# . this file: what a shell needs to work with the lab", *(_export(*item) for item in exports.items())]
    _write(path, "\n".join(lines) + "\n")


def write_variables(path: Path, heading: str, variables: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(variables), sort_keys=False, default_flow_style=False, width=120)
    _write(path, f"---\n# {heading}\n{text}")


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for the owner's eyes: there are secrets in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
