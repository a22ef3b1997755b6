"""Playbook controller on a fake of AWX's API, with the modules of awx.awx: loaded once, again, refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.awx.fake import Fake, served
from tests.engine.client import ENGINE

PAIR = {"ha_pair_name": "edge", "ha_pair_image_id": "ami-1", "ha_pair_client_cidrs": ["0.0.0.0/0"]}
GROUP = {
    "autoscale_group_name": "shop",
    "autoscale_group_zones": [{"name": "eu-central-1a"}, {"name": "eu-central-1b"}],
    "autoscale_group_policy": {"min_nodes": 1},
}
pytestmark = pytest.mark.timeout(900)
WEBHOOK = "https://hooks.example.com/4f1d6b7e"
SITE = {
    "cloudadc_awx_pairs": [PAIR],
    "cloudadc_awx_groups": [GROUP],
    "cloudadc_awx_credentials": ["aws", "nitro"],
    "cloudadc_awx_slices": 2,
    "cloudadc_awx_webhook_url": WEBHOOK,
}


class Controller:
    """A fake, and the playbook that loads it."""

    def __init__(self, fake: Fake, url: str, directory: Path) -> None:
        self.fake, self._url, self._directory = fake, url, directory

    def load(self, *extra: str, **site: Any) -> subprocess.CompletedProcess[str]:
        path = self._directory / "site.yml"
        path.write_text(yaml.safe_dump({**SITE, **site}))
        environment = {
            **os.environ,
            "CONTROLLER_HOST": self._url,
            "CONTROLLER_OAUTH_TOKEN": "0123456789",
            "ANSIBLE_HOME": str(self._directory / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
        }
        arguments = ["cloudadc.aws.controller", "-e", f"@{path}", *extra]
        return ENGINE.run(arguments, environment, self._directory, timeout=800)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Controller, subprocess.CompletedProcess[str]]]:
    """Yield a controller into which everything was loaded once, and how that went."""
    fake = Fake()
    with served(fake) as url:
        controller = Controller(fake, url, tmp_path_factory.mktemp("controller"))
        yield controller, controller.load()


def changed(run: subprocess.CompletedProcess[str]) -> int:
    [count] = re.findall(r"\bchanged=(\d+)", run.stdout)
    return int(count)


def test_it_is_all_there(loaded: tuple[Controller, subprocess.CompletedProcess[str]]) -> None:
    controller, run = loaded
    assert run.returncode == 0, run.stdout
    assert "Using last defined value" not in run.stdout
    fake = controller.fake
    counts = {kind: len(items) for kind, items in fake.objects.items()}
    assert counts == {
        "organizations": 1,
        "credential_types": 3,
        "credentials": 2,
        "execution_environments": 1,
        "notification_templates": 1,
        "projects": 1,
        "inventories": 3,
        "hosts": 2,
        "groups": 1,
        "job_templates": 14,
        "workflow_job_templates": 1,
        "workflow_job_template_nodes": 3,
        "schedules": 1,
    }
    assert len(fake.surveys) == 14


def test_the_controllers_jinja_is_handed_over_as_it_is(
    loaded: tuple[Controller, subprocess.CompletedProcess[str]],
) -> None:
    fake = loaded[0].fake
    injectors = fake.named("credential_types", "cloudadc NITRO")["injectors"]
    assert injectors["extra_vars"]["ha_pair_password"] == "{{ password }}"
    tick = fake.named("job_templates", "cloudadc autoscale")
    assert json.loads(tick["extra_vars"]) == {"autoscale_owner": "awx {{ awx_job_id }}"}
    assert (tick["allow_simultaneous"], tick["job_slice_count"]) == (True, 2)


def test_definitions_become_inventories(loaded: tuple[Controller, subprocess.CompletedProcess[str]]) -> None:
    fake = loaded[0].fake
    assert json.loads(fake.named("inventories", "cloudadc pair edge")["variables"]) == PAIR
    assert json.loads(fake.named("inventories", "cloudadc group shop")["variables"]) == GROUP
    host = fake.named("hosts", "shop@eu-central-1b")
    assert json.loads(host["variables"]) == {**GROUP, "autoscale_group_zone": {"name": "eu-central-1b"}}
    zones = fake.named("groups", "cloudadc_zones")
    assert len(fake.members["groups", zones["id"], "hosts"]) == 2
    assert fake.named("schedules", "cloudadc autoscale, every minute")["enabled"] is True


def test_the_workflow_leads_from_preflight_to_group_to_applications(
    loaded: tuple[Controller, subprocess.CompletedProcess[str]],
) -> None:
    fake = loaded[0].fake
    nodes = {node["identifier"]: node for node in fake.objects["workflow_job_template_nodes"].values()}
    names = {key: fake.objects["job_templates"][node["unified_job_template"]]["name"] for key, node in nodes.items()}
    assert names == {
        "preflight": "cloudadc preflight",
        "group": "cloudadc autoscale_group",
        "applications": "cloudadc application",
    }
    for first, then in (("preflight", "group"), ("group", "applications")):
        assert fake.members["workflow_job_template_nodes", nodes[first]["id"], "success_nodes"] == [nodes[then]["id"]]


def test_loaded_again_it_writes_nothing(loaded: tuple[Controller, subprocess.CompletedProcess[str]]) -> None:
    controller, first = loaded
    assert changed(first) > 0
    before = len(controller.fake.writes)
    again = controller.load("-vvv")
    assert (again.returncode, changed(again)) == (0, 0), again.stdout
    assert controller.fake.writes[before:] == []
    assert WEBHOOK not in again.stdout


def test_a_secret_in_a_definition_is_refused(loaded: tuple[Controller, subprocess.CompletedProcess[str]]) -> None:
    controller = loaded[0]
    before = len(controller.fake.writes)
    run = controller.load(cloudadc_awx_pairs=[{**PAIR, "ha_pair_password": "S3cret-in-a-file"}])
    assert run.returncode != 0
    assert "edge: ha_pair_password: leave it out of the definition" in run.stdout
    assert "S3cret-in-a-file" not in run.stdout
    assert controller.fake.writes[before:] == []


def test_without_anything_of_ones_own_it_loads_too(tmp_path: Path) -> None:
    """No pair, no group, nowhere to tell: the schedule is there and rests."""
    fake = Fake()
    nothing: dict[str, Any] = {name: [] for name in SITE if name.endswith(("pairs", "groups", "credentials"))}
    with served(fake) as url:
        run = Controller(fake, url, tmp_path).load(**nothing, cloudadc_awx_webhook_url="")
    assert run.returncode == 0, run.stdout
    assert fake.named("schedules", "cloudadc autoscale, every minute")["enabled"] is False
    assert fake.objects["notification_templates"] == {}
