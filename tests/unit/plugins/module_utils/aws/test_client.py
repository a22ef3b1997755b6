"""A client that cannot be made is a sentence too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.modules import run_module


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "nowhere"}, "nowhere"),
        (
            {"endpoint_url": "no url at all", "access_key": "unit-test-id", "secret_key": "unit-test-key"},
            "no url at all",
        ),
    ],
)
@pytest.mark.parametrize(
    ("module", "params"),
    [
        ("eip_failover", {"moves": [{"elastic_ip": "203.0.113.1", "network_interface_id": "eni-1"}]}),
        ("vpx_instance", {"group": "shop"}),
        ("vpx_ha_info", {"group": "shop", "nitro_pass": "unit-test-pass"}),
        (
            "vpx_stat_info",
            {"nodes": ["i-1"], "source": "cloudwatch", "cloudwatch": {"namespace": "N", "metrics": {"cpu": "C"}}},
        ),
    ],
)
def test_no_client_no_traceback(
    module: str, params: dict[str, Any], options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    result = run_module(module, {"region": "eu-west-1", **params, **options})
    assert result["failed"]
    assert message in result["msg"]
    assert "Traceback" not in str(result)
