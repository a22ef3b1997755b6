"""What is shipped for AWX: taken by its rules, and one with the roles' own descriptions of their variables."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.cloudadc.aws.plugins.filter.controller import controller_secrets
from tests.awx import rules
from tests.awx.shipped import PROJECT, load, playbooks, variables
from tests.lab.settings import CHECKOUT

SHIPPED = variables()
SURVEYS: dict[str, Any] = SHIPPED["cloudadc_awx_surveys"]
TEMPLATES = {template["name"].removeprefix("cloudadc "): template for template in SHIPPED["controller_templates"]}
QUESTIONS = [(name, question) for name, survey in SURVEYS.items() for question in survey["spec"]]
IDS = [question["variable"] for name, question in QUESTIONS]

# The playbook's own variables, which its comment describes; the role is told a number of nodes instead.
OF_PLAYBOOKS = {"scale_out_count": {"type": "int"}}
# An administrator runs rights once, with credentials that a controller does not have.
WITHOUT_TEMPLATE = {"controller", "rights"}
ANSWERS = {"str": {"text", "textarea", "password"}, "path": {"text"}, "int": {"integer"}, "float": {"float"}}


# Playbooks whose role has another name.
ROLES = {"backup": "config_backup", "restore": "config_backup", "upgrade": "ha_upgrade"}


def described(name: str) -> dict[str, Any]:
    """Return the variables of a playbook's role, by its argument_specs."""
    role = ROLES.get(name, name)
    found = load(CHECKOUT / "roles" / role / "meta" / "argument_specs.yml")
    options: dict[str, Any] = found["argument_specs"]["main"]["options"]
    return options | {name: spec for name, spec in OF_PLAYBOOKS.items() if name.startswith(f"{role}_")}


@pytest.mark.parametrize("name", SURVEYS)
def test_awx_takes_the_survey(name: str) -> None:
    assert rules.survey(SURVEYS[name]) == []


@pytest.mark.parametrize("given", SHIPPED["controller_credential_types"], ids=lambda given: given["name"])
def test_awx_takes_the_credential_type(given: dict[str, Any]) -> None:
    assert rules.credential_type(given) == []


@pytest.mark.parametrize("given", SHIPPED["controller_schedules"], ids=lambda given: given["name"])
def test_awx_takes_the_schedule(given: dict[str, Any]) -> None:
    assert rules.rrule(given["rrule"]) == []


@pytest.mark.parametrize(("name", "question"), QUESTIONS, ids=IDS)
def test_a_question_is_one_with_the_role(name: str, question: dict[str, Any]) -> None:
    options = described(name)
    assert question["variable"] in options
    spec = options[question["variable"]]
    if spec["type"] == "bool":
        assert (question["type"], sorted(question["choices"])) == ("multiplechoice", ["false", "true"])
    elif "choices" in spec:
        assert (question["type"], question["choices"]) == ("multiplechoice", spec["choices"])
    else:
        assert question["type"] in ANSWERS[spec["type"]]


@pytest.mark.parametrize(("name", "question"), QUESTIONS, ids=IDS)
def test_a_default_is_the_roles_own(name: str, question: dict[str, Any]) -> None:
    """But where a person at a form is better served by another one."""
    chosen = {"application_drain": "true", "report_path": "/var/lib/cloudadc/report.html"}
    spec = described(name)[question["variable"]]
    if question["variable"] in chosen:
        assert question["default"] == chosen[question["variable"]] != spec.get("default")
    elif "default" in spec:
        reported = str(spec["default"]).lower() if spec["type"] == "bool" else spec["default"]
        assert question["default"] == reported
    else:
        assert question.get("default") in (None, 1, "true")


def test_what_is_no_roles_variable_is_the_playbooks() -> None:
    for variable in OF_PLAYBOOKS:
        [name] = [name for name in SURVEYS if variable.startswith(f"{name}_")]
        text = (CHECKOUT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8")
        assert re.search(rf"{{{{ {variable}\b", text)


def test_every_template_has_its_survey_and_playbook() -> None:
    imported = playbooks()
    assert set(TEMPLATES) == set(SURVEYS)
    for name, template in TEMPLATES.items():
        assert template["survey_spec"] == f"{{{{ cloudadc_awx_surveys.{name} }}}}"
        file = template["playbook"].rpartition("}}")[2]
        assert imported[file] == f"cloudadc.aws.{name}"


def test_every_playbook_that_is_there_has_a_template() -> None:
    shipped = {path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")} - WITHOUT_TEMPLATE
    assert {name.removeprefix("cloudadc.aws.") for name in playbooks().values()} == set(TEMPLATES)
    assert set(TEMPLATES) == shipped


def test_no_secret_is_asked_in_a_survey() -> None:
    """Answers stay in AWX's database and show in the job; credentials do not."""
    assert [variable for variable, asked in zip(IDS, QUESTIONS, strict=True) if asked[1]["type"] == "password"] == []
    assert [variable for variable in IDS if re.search("password|secret|token", variable)] == []


def test_only_ticks_may_meet_themselves() -> None:
    assert [name for name, template in TEMPLATES.items() if template.get("allow_simultaneous")] == ["autoscale"]
    assert TEMPLATES["autoscale"]["extra_vars"] == {"autoscale_owner": "awx {{ awx_job_id }}"}
    [schedule] = SHIPPED["controller_schedules"]
    assert schedule["unified_job_template"] == TEMPLATES["autoscale"]["name"]
    assert "FREQ=MINUTELY;INTERVAL=1" in schedule["rrule"]


def test_the_workflow_asks_nothing_that_has_no_default() -> None:
    """A node whose template has a required question without a default never starts."""
    [workflow] = SHIPPED["controller_workflows"]
    names = [node["unified_job_template"]["name"].removeprefix("cloudadc ") for node in workflow["workflow_nodes"]]
    assert names == ["preflight", "autoscale_group", "application"]
    for name in names:
        assert [question for question in SURVEYS[name]["spec"] if "default" not in question] == []


def injected(name: str, **values: Any) -> dict[str, Any]:
    """Extra variables that a credential of this type gives a job, rendered as AWX renders them."""
    [given] = [kind for kind in SHIPPED["controller_credential_types"] if kind["name"] == name]
    names = {"tower": {"filename": {"ca": "/runner/env/tmpca"}}, **values}
    sandbox = ImmutableSandboxedEnvironment()

    def render(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: render(value) for key, value in node.items()}
        return sandbox.from_string(node).render(**names)

    rendered: dict[str, Any] = render(given["injectors"]["extra_vars"])
    return rendered


def test_a_nitro_credential_gives_what_the_roles_want() -> None:
    given = injected("cloudadc NITRO", username="nsroot", password="p", validate_certs=False)
    known = described("ha_pair") | described("autoscale_group")
    assert set(given) <= set(known)
    secret = {name for name, spec in known.items() if spec.get("no_log")}
    assert secret <= set(given)
    assert given["ha_pair_ca_path"] == given["autoscale_group_ca_path"] == ""
    assert given["ha_pair_validate_certs"] == "False"
    assert injected("cloudadc NITRO", username="u", password="p", validate_certs=True, ca="PEM")[
        "autoscale_group_ca_path"
    ] == ("/runner/env/tmpca")


def test_a_console_credential_gives_what_the_role_wants() -> None:
    given = injected("cloudadc console", url="https://adm.example.com", validate_certs=True)["autoscale_group_console"]
    suboptions = described("autoscale_group")["autoscale_group_console"]["options"]
    assert set(given) <= set(suboptions)
    assert {name for name, spec in suboptions.items() if spec.get("no_log")} <= set(given)
    assert [name for name, value in given.items() if value] == ["adm_url", "validate_certs"]


def test_private_keys_travel_in_a_file_and_in_no_variable() -> None:
    """A job's record lists its extra variables; the file is gone with the job."""
    [given] = [kind for kind in SHIPPED["controller_credential_types"] if kind["name"] == "cloudadc private keys"]
    assert set(given["injectors"]) == {"file", "extra_vars"}
    assert given["injectors"]["file"] == {"template.keys": "{{ keys }}"}
    pem = "shop: |\n  -----BEGIN PRIVATE KEY-----"
    rendered = injected("cloudadc private keys", keys=pem, tower={"filename": {"keys": "/runner/env/tmpkeys"}})
    assert rendered == {"cloudadc_private_keys_file": "/runner/env/tmpkeys"}
    [field] = given["inputs"]["fields"]
    assert field["secret"]


KEY = "-----BEGIN PRIVATE KEY-----\nMIIB"
LOOKED_UP = "{{ (lookup('ansible.builtin.file', cloudadc_private_keys_file) | from_yaml).shop }}"


@pytest.mark.parametrize(
    ("variable", "value", "refused"),
    [
        ("ha_pair_applications", [{"name": "a"}, {"name": "b", "certificate": {"name": "c", "key": KEY}}], True),
        ("ha_pair_application", {"name": "a", "certificate": {"key": KEY}}, True),
        ("ha_pair_application", {"name": "a", "certificate": {"key": LOOKED_UP, "passphrase": "open"}}, True),
        ("ha_pair_application", {"name": "a", "certificate": {"key": LOOKED_UP}}, False),
        ("ha_pair_application", {"name": "a", "certificate": {"certkey": "made-by-hand"}}, False),
        ("ha_pair_applications", [], False),
        ("ha_pair_vips", [{"name": "v", "applications": [{"name": "a", "certificate": {"key": KEY}}]}], True),
        ("ha_pair_vips", [{"name": "v"}], False),
    ],
)
def test_a_definition_that_holds_a_private_key_is_refused(variable: str, value: Any, refused: bool) -> None:
    found = controller_secrets([{"ha_pair_name": "edge", variable: value}])
    assert found == ([f"edge: {variable}"] if refused else [])


def test_the_project_is_no_more_than_imports() -> None:
    for path in PROJECT.glob("*.yml"):
        [play] = load(path)
        assert set(play) == {"name", "ansible.builtin.import_playbook"}
