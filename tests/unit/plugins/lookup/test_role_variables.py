"""Lookup role_variables collects what is set and leaves out what is not. Ansible's loader needs a process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PLAYBOOK: list[dict[str, Any]] = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "shop_name": "web",
            "shop_title": "{{ shop_name }} 1",
            "shop_undefined": "{{ shop_nothing }}",
            "shop_nested": {"inner": "{{ shop_nothing }}"},
            "shop_default": "{{ shop_nothing | default('none') }}",
            "shop_floor_size": 3,
            "shopping": "another prefix",
            "__shop_internal": 1,
        },
        "tasks": [
            {
                "ansible.builtin.copy": {
                    "dest": "{{ found_file }}",
                    "content": "{{ {'all': lookup('cloudadc.aws.role_variables', 'shop'), 'some':"
                    " lookup('cloudadc.aws.role_variables', 'shop', exclude=['shop_floor'])} | to_json }}",
                    "mode": "0600",
                }
            },
            {
                "ansible.builtin.debug": {"msg": "{{ lookup('cloudadc.aws.role_variables', 'broken') }}"},
                "vars": {"broken_password": "not-a-secret {{ 'x' | nosuchfilter }}"},
            },
        ],
    }
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("lookup")
    playbook, found = folder / "play.yml", folder / "found.json"
    playbook.write_text(json.dumps(PLAYBOOK))
    ansible = Path(sys.executable).with_name("ansible-playbook")
    command = [ansible, "-i", "localhost,", playbook, "-e", f"found_file={found}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return json.loads(found.read_text()), done.stdout + done.stderr


def test_set_variables_are_templated_and_undefined_ones_left_out(played: tuple[dict[str, Any], str]) -> None:
    assert played[0]["all"] == {
        "shop_name": "web",
        "shop_title": "web 1",
        "shop_default": "none",
        "shop_floor_size": 3,
    }


def test_excluded_prefix_belongs_to_another_role(played: tuple[dict[str, Any], str]) -> None:
    assert "shop_floor_size" not in played[0]["some"]
    assert played[0]["some"]["shop_name"] == "web"


def test_error_names_variable_and_not_its_value(played: tuple[dict[str, Any], str]) -> None:
    assert "Variable broken_password cannot be templated" in " ".join(played[1].split())
    assert "not-a-secret" not in played[1]
