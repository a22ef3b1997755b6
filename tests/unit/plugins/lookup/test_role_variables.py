"""Lookup role_variables collects what is set and leaves out what is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.template import Templar, trust_as_template

VARIABLES = {
    "shop_name": "web",
    "shop_title": "{{ shop_name }} 1",
    "shop_undefined": "{{ shop_nothing }}",
    "shop_nested": {"inner": "{{ shop_nothing }}"},
    "shop_default": "{{ shop_nothing | default('none') }}",
    "shop_floor_size": 3,
    "shopping": "another prefix",
    "__shop_internal": 1,
}


def collect(*terms: str, variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
    init_plugin_loader([])
    given = {
        name: trust_as_template(value) if isinstance(value, str) else value
        for name, value in (variables or VARIABLES).items()
    }
    given["shop_nested"] = {"inner": trust_as_template("{{ shop_nothing }}")}
    templar = Templar(DataLoader(), variables=given)
    plugin = lookup_loader.get("cloudadc.aws.role_variables", templar=templar)
    found: list[dict[str, Any]] = plugin.run(list(terms), variables=given, **options)
    return found


@pytest.mark.filterwarnings("ignore")
def test_set_variables_are_templated_and_undefined_ones_left_out() -> None:
    assert collect("shop") == [
        {"shop_name": "web", "shop_title": "web 1", "shop_default": "none", "shop_floor_size": 3}
    ]


@pytest.mark.filterwarnings("ignore")
def test_excluded_prefix_belongs_to_another_role() -> None:
    assert "shop_floor_size" not in collect("shop", exclude=["shop_floor"])[0]


@pytest.mark.filterwarnings("ignore")
def test_error_names_variable_and_not_its_value() -> None:
    with pytest.raises(AnsibleError) as caught:
        collect("shop", variables={"shop_password": "not-a-secret {% nonsense %}"})
    assert "shop_password" in str(caught.value)
    assert "not-a-secret" not in str(caught.value)
