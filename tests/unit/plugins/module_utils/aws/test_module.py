"""A module that warns: its warning is printed once, and no deprecation with it."""

from __future__ import annotations

import json
import subprocess
import sys

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
