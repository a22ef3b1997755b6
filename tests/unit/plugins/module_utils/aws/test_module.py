"""A module that warns: its warning is printed once, and no deprecation with it."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

from ansible_collections.cloudadc.aws.plugins.module_utils.aws.module import AwsModule


def test_warning_is_reported_once_and_without_a_deprecation(capsys: pytest.CaptureFixture[str]) -> None:
    warnings._global_warnings.clear()
    warnings._global_deprecations.clear()
    with patch_module_args({"region": "eu-central-1"}):
        module = AwsModule(argument_spec={}, supports_check_mode=True)
        module.warn("shop adopts resources of an earlier release")
        with pytest.raises(SystemExit):
            module.exit_json(changed=False)
    result = json.loads(capsys.readouterr().out)
    assert json.dumps(result["warnings"]).count("shop adopts resources of an earlier release") == 1
    assert "deprecations" not in result
