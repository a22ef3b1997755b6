"""A reader of the documentation: types its commands with its literal files, beside the lab.

Only what belongs to an account is replaced in a file: ids of subnets and images, addresses of back ends, the
certificate authority, where the controller is; and the port of NITRO, which is not 443 in the lab.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests import examples
from tests.engine.client import ENGINE
from tests.lab.client import LabClient

PASSWORDS = {"VPX_PASSWORD": "a'b\"c\\d $x `y` €ü! %", "VPX_RPC_PASSWORD": "rpc €ü{}! \\ 'x'"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has done: its exit code, what it printed, and the writes that it made in AWS and on appliances."""

    code: int
    text: str
    writes: list[str]

    @property
    def message(self) -> str:
        """What it printed, without line breaks of its own."""
        return " ".join(self.text.split())


@dataclass
class Reader:
    """A terminal in a folder, with the lab's environment and the passwords that the documentation takes from there."""

    lab: LabClient
    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(PASSWORDS))

    def literal(self, name: str, page: str = "README.md") -> str:
        """Return the text of the file ``name`` as the page has it, for this account."""
        prefix = {"pair.yml": "ha_pair_name", "shop.yml": "autoscale_group_name"}[name]
        [text] = [block.text for block in examples.blocks() if block.page == page and f"\n{prefix}:" in block.text]
        return self._for_this_account(text, prefix.removesuffix("name"))

    def _for_this_account(self, text: str, prefix: str) -> str:
        seed = self.lab.state()["seed_data"]
        for zone, letter in zip(seed["subnets"].values(), "ab", strict=False):
            for number, role in enumerate(("management", "client", "server"), 1):
                text = text.replace(f"subnet-0{letter * 15}{number}", zone[role])
        backends = self.lab.variables("ha_pair")["ha_pair_application"]["backends"]
        listed = iter([*backends, *backends])
        text = re.sub(
            r"address: 10\.0\.\d+\.11, port: 8080",
            lambda _found: "address: {address}, port: {port}".format(**next(listed)),
            text,
        )
        text = text.replace("ami-0123456789abcdef0", seed["image_id"]).replace(
            "/etc/pki/netscaler-ca.pem", self.lab.ca_path
        )
        port = self.lab.variables("ha_pair")["ha_pair_application"]["port"]  # clients of the lab use ports above 1024
        text = text.replace("port: 80\n", f"port: {port}\n").replace("10.0.0.0/8", "127.0.0.0/8")
        return f"{text}{prefix}nitro_port: {self.lab.nitro_port}\n"

    def write(self, name: str, content: str | Mapping[str, Any]) -> Path:
        """Write a file of variables: text as it is, values as YAML."""
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(dict(content), allow_unicode=True))
        return path

    def play(self, playbook: str, *arguments: str, **environment: str) -> Answer:
        """Type ``ansible-playbook cloudadc.aws.<playbook> <arguments>``; a file is named relative to the folder."""
        words = [re.sub(r"^@(?=[\w.-]+$)", f"@{self.folder}/", word) for word in arguments]
        began = time.time()
        settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.folder / "ansible")}
        done = ENGINE.run(
            [f"cloudadc.aws.{playbook}", *words],
            self.lab.environment(**settings, **{**self.environment, **environment}),
            self.folder,
        )
        for secret in self.environment.values():
            assert secret not in done.stdout
        assert "Traceback" not in done.stdout
        return Answer(done.returncode, done.stdout, [call.op for call in self.lab.writes(began)])
