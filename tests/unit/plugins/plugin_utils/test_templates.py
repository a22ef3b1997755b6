"""Templates within the variables of a rulebook: resolved as ansible-playbook would, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.plugin_utils.templates import TemplateError, resolved

ENVIRONMENT = {"VPX_PASSWORD": "Pa55 {{ word", "AWS_REGION": "eu-central-1"}


@pytest.mark.parametrize(
    "template",
    [
        "{{ lookup('ansible.builtin.env', 'VPX_PASSWORD') }}",
        "{{ lookup('env', 'VPX_PASSWORD') }}",
        '{{lookup("env","VPX_PASSWORD")}}',
        " {{ lookup('env', 'VPX_PASSWORD') | default('other', true) }} ",
        "{{ lookup('env', 'MISSING') | default('Pa55 {{ word') }}",
    ],
)
def test_lookup_of_the_environment_is_resolved(template: str) -> None:
    assert resolved({"nitro_pass": template}, ENVIRONMENT) == {"nitro_pass": "Pa55 {{ word"}


def test_values_without_templates_stay() -> None:
    given: dict[str, Any] = {"group": "shop", "zones": [{"name": "a"}], "interval": 1, "nitro_pass": "{x} % {# }}"}
    assert resolved(given, {}) == given


def test_nested_lookup_is_resolved() -> None:
    given = {
        "store": {"type": "file", "path": "{{ lookup('env', 'AWS_REGION') }}"},
        "zones": ["{{ lookup('env', 'AWS_REGION') }}"],
    }
    assert resolved(given, ENVIRONMENT) == {
        "store": {"type": "file", "path": "eu-central-1"},
        "zones": ["eu-central-1"],
    }


@pytest.mark.parametrize(
    "template",
    [
        "{{ vault_password }}",
        "{{ lookup('file', '/etc/secret') }}",
        "x{{ lookup('env', 'AWS_REGION') }}",
        "{% if x %}s3cret",
    ],
)
def test_other_templates_are_refused_by_name_without_their_text(template: str) -> None:
    with pytest.raises(TemplateError, match=r"^nitro_pass contains a template.*NETSCALER_NITRO_PASS") as refused:
        resolved({"nitro_pass": template}, ENVIRONMENT)
    assert template not in str(refused.value)


def test_missing_environment_variable_is_named() -> None:
    with pytest.raises(TemplateError, match=r"^policy\.cpu is taken from the environment.* without MISSING$"):
        resolved({"policy": {"cpu": "{{ lookup('env', 'MISSING') }}"}}, ENVIRONMENT)
