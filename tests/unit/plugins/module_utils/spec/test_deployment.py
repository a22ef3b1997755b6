"""Requests to deploy and to remove applications: which are meant, and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec.deployment import read_deployment

from .groups import WEB, ZONE, variables

API = {**WEB, "name": "api", "port": 81}


def read(group: dict[str, Any] | None = None, **given: Any) -> Any:
    own = {f"application_{key}": value for key, value in given.items()}
    return read_deployment(group or variables(applications=[WEB, API]), own)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ("web", "api")),
        ({"name": "api"}, ("api",)),
        ({"name": "new", "definition": {"protocol": "TCP", "port": 82}}, ("new",)),
        ({"name": "web", "definition": {"protocol": "TCP", "port": 80}}, ("web",)),
        ({"state": "absent", "name": "gone"}, ("gone",)),
    ],
)
def test_which_applications_are_meant(given: dict[str, Any], names: tuple[str, ...]) -> None:
    request, problems = read(**given)
    assert (request.names, problems) == (names, [])


def test_ports_of_all_applications_stay_open() -> None:
    request, _problems = read(name="new", definition={"protocol": "TCP", "port": 82})
    assert [one["name"] for one in request.definition["applications"]] == ["web", "api", "new"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nmae": "web"}, "The role application has no variable application_nmae."),
        ({"name": "shop"}, "autoscale_group_applications names no application shop."),
        ({"zone": "eu-central-1z"}, "There is no zone eu-central-1z in autoscale_group_zones."),
        ({"zone": {"name": "eu-central-1z"}}, "There is no zone eu-central-1z in autoscale_group_zones."),
        ({"state": "gone"}, "application_state must be one of present, absent, not 'gone'."),
        (
            {"name": "new", "definition": {"protocol": "TCP", "port": 81}},
            "Applications api and new both use tcp port",
        ),
    ],
)
def test_every_problem_is_reported(given: dict[str, Any], message: str) -> None:
    assert any(message in one for one in read(**given)[1])


def test_deployment_needs_neither_image_nor_policy_nor_store() -> None:
    group = variables(image_id=None, policy=None, store=None)
    assert read(group)[1] == []


def test_removal_by_dns_needs_the_domain() -> None:
    group = variables(distributor="dns", dns={"zone": "example.com"}, applications=[{**WEB, "domain": "w.example.com"}])
    assert read(group, state="absent")[1] == []
    [problem] = read(group, state="absent", name="gone")[1]
    assert problem == "Application gone: its domain is not known; give it in application_definition."


def test_host_of_a_zone_has_the_definition_and_not_the_variables() -> None:
    definition = read()[0].definition
    given = {"application_zone": ZONE["name"]}
    request, problems = read_deployment({}, given, one_step=True, given=definition)
    assert (problems, request.zone, request.definition["name"]) == ([], ZONE["name"], "shop")
