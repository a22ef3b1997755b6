"""How modules that call AWS warn, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, ClassVar, NoReturn

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.module import run
from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Failure, Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroError

# A process of its own, as a module is: where code of the controller was imported, warnings go to its display.
MODULE = """
from ansible.module_utils.testing import patch_module_args
from ansible_collections.cloudadc.aws.plugins.module_utils.aws.module import AwsModule

with patch_module_args({"region": "eu-central-1"}):
    module = AwsModule(argument_spec={}, supports_check_mode=True)
    module.warn("shop adopts resources of an earlier release")
    module.exit_json(changed=False)
"""


def test_warning_is_reported_once_and_without_a_deprecation() -> None:
    done = subprocess.run([sys.executable, "-c", MODULE], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert json.dumps(result["warnings"]).count("shop adopts resources of an earlier release") == 1
    assert "deprecations" not in result


class AccessDenied(Exception):
    response: ClassVar = {"Error": {"Code": "AccessDenied", "Message": "no"}}


def ended(capsys: pytest.CaptureFixture[str], work: Any, **options: Any) -> dict[str, Any]:
    """Return what a module with this work prints."""
    with patch_module_args({"group": "shop"}), pytest.raises(SystemExit):
        run({"group": {"type": "str"}}, work, **options)
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    result.pop("invocation", None)
    return result


@pytest.mark.parametrize(
    ("error", "codes"),
    [
        (Refusal("no such zone"), {"error_code": None}),
        (AwsError("Failed to associate", AccessDenied()), {"error_code": "AccessDenied"}),
        (NitroError("no such resource", code=258), {"error_code": None, "nitro_errorcode": 258}),
    ],
)
def test_failure_ends_a_module_with_its_message_code_and_what_was_done(
    capsys: pytest.CaptureFixture[str], error: Failure, codes: dict[str, Any]
) -> None:
    def work(_module: Any) -> NoReturn:
        raise error

    result = ended(capsys, work, name=lambda params: params["group"], done=lambda: {"changed": True, "actions": ["a"]})
    assert result == {"failed": True, "msg": f"shop: {error}", "changed": True, "actions": ["a"], **codes}


def test_result_with_a_message_is_a_failure_and_any_other_is_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, lambda _module: {"changed": True}) == {"changed": True}
    assert ended(capsys, lambda _module: {"changed": True, "msg": "target is not healthy"}) == {
        "changed": True,
        "failed": True,
        "msg": "target is not healthy",
    }
