"""The arguments of ha_watch: what is made of them, and the sentences for what cannot be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import NitroInputError
from ansible_collections.cloudadc.aws.plugins.plugin_utils.arguments import Given, SettingsError
from ansible_collections.cloudadc.aws.plugins.plugin_utils.pair_watch.settings import (
    ARGUMENTS,
    Settings,
    present,
    settings_from,
)
from tests.lab.settings import CHECKOUT

SOURCE = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source" / "ha_watch.py"
LEAST = {"group": "shop", "nitro_pass": "Pa55-word"}


def made(args: dict[str, Any], environ: dict[str, str]) -> Settings:
    return settings_from(Given(args, environ))


def documentation(path: Path) -> dict[str, Any]:
    text = path.read_text()
    start = text.index('DOCUMENTATION = r"""') + len('DOCUMENTATION = r"""')
    found: dict[str, Any] = yaml.safe_load(text[start : text.index('"""', start)])
    return found


def test_what_is_documented_is_what_there_is() -> None:
    options = documentation(SOURCE)["options"]
    assert set(options) == ARGUMENTS
    settings = made(LEAST, {})
    assert options["interval"]["default"] == settings.interval
    assert options["aws_interval"]["default"] == settings.aws_interval
    assert options["timeout"]["default"] == settings.nitro.timeout == settings.nitro.connect_timeout
    assert options["lost_after"]["default"] == settings.lasting.lost
    assert options["returned_after"]["default"] == settings.lasting.returned
    assert options["astray_after"]["default"] == settings.lasting.misplaced
    assert options["no_primary_after"]["default"] == settings.lasting.no_primary
    assert options["nitro_user"]["default"] == settings.nitro.user
    assert options["nitro_protocol"]["default"] == settings.nitro.protocol
    assert options["validate_certs"]["default"] is settings.nitro.validate_certs


def test_what_a_rulebook_gives_for_nothing_counts_as_not_given() -> None:
    empty = dict.fromkeys(ARGUMENTS - set(LEAST), "")
    assert made({**LEAST, **empty}, {}) == made(LEAST, {})


def test_the_environment_stands_in() -> None:
    environ = {
        "NETSCALER_NITRO_PASS": "12345",
        "NETSCALER_NITRO_USER": "watcher",
        "NETSCALER_NITRO_PROTOCOL": "http",
        "NETSCALER_VALIDATE_CERTS": "false",
        "NETSCALER_CA_PATH": "/ca.pem",
        "AWS_REGION": "eu-west-3",
    }
    settings = made({"group": "shop"}, environ)
    nitro = settings.nitro
    assert (nitro.password, nitro.user, nitro.protocol) == ("12345", "watcher", "http")
    assert (nitro.validate_certs, nitro.ca_path, settings.aws.region) == (False, "/ca.pem", "eu-west-3")
    assert made({"group": "shop", "nitro_user": "me", "validate_certs": True}, environ).nitro.user == "me"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"group": ""}, "group is needed"),
        ({"nitro_pass": None}, "nitro_pass is needed (or NETSCALER_NITRO_PASS in the environment)"),
        ({"nitro_pass": 12345}, "nitro_pass must be a text, and a template made it int"),
        ({"nitro_protocol": "ftp"}, "nitro_protocol must be http or https, not 'ftp'"),
        ({"grupp": "shop"}, "ha_watch has no argument grupp; it has access_key,"),
        ({"interval": "soon"}, "interval must be a number of seconds, not 'soon'"),
        ({"interval": 0}, "interval must be 0.1 to 86400 seconds, not 0"),
        ({"timeout": 9}, "timeout must be 0.1 to 5 seconds, not 9"),
        ({"nitro_port": 70000}, "nitro_port must be a number from 1 to 65535, not 70000"),
        ({"validate_certs": "maybe"}, "validate_certs must be true or false, not 'maybe'"),
        ({"elastic_ips": "192.0.2.1"}, "elastic_ips must be a list of texts"),
    ],
)
def test_invalid_settings_are_refused(args: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        made({**LEAST, **args}, {})
    assert message in str(caught.value)
    assert "12345" not in str(caught.value)


def test_no_secret_is_printed_with_the_settings() -> None:
    secrets = {"nitro_pass": "Pa55-word", "secret_key": "aws-s3cret", "session_token": "t0ken"}
    assert not any(secret in repr(made({**LEAST, **secrets}, {})) for secret in secrets.values())


def test_pinned_certificates_are_those_of_the_tags_read_last() -> None:
    """A watcher takes over a certificate that was accepted meanwhile, and refuses a node without a pinned one."""
    settings = settings_from(Given({"group": "shop", "nitro_pass": "s3cret", "management_tls": "pin"}, {}))
    with pytest.raises(NitroInputError, match="no fingerprint of its certificate is known"):
        present(settings, "10.0.1.10:443")
    for fingerprint in ("AB", "CD"):
        settings.pins.learn({"10.0.1.10": [fingerprint]})
        assert present(settings, "10.0.1.10:443").fingerprints == (fingerprint,)
    verified = settings_from(Given({"group": "shop", "nitro_pass": "s3cret"}, {}))
    verified.pins.learn({"10.0.1.10": ["AB"]})
    assert present(verified, "10.0.1.10:443").fingerprints == ()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"management_tls": "trust"}, "management_tls must be verify or pin"),
        ({"management_tls": "pin", "nitro_protocol": "http"}, "management_tls=pin needs nitro_protocol=https"),
    ],
)
def test_ways_to_check_certificates_that_cannot_be(more: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings_from(Given({"group": "shop", "nitro_pass": "s3cret", **more}, {}))
