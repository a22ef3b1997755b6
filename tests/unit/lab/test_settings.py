"""What may be set from outside, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.settings import CHECKOUT, LabError, Settings, read


def test_nothing_set_is_a_lab_in_the_checkout() -> None:
    assert read({}) == Settings(directory=CHECKOUT / ".lab")
    assert read({"LAB_DIR": "", "LAB_NETWORK": "", "LAB_PORT": "", "LAB_PACE": ""}) == read({})


def test_everything_set() -> None:
    environ = {
        "LAB_DIR": "/somewhere",
        "LAB_NETWORK": "127.30",
        "LAB_PORT": "4000",
        "LAB_AWS_PORT": "4001",
        "LAB_NITRO_PORT": "4002",
        "LAB_ADM_PORT": "4003",
        "LAB_PACE": "2.5",
        "LAB_IAM": "1",
        "LAB_PESSIMISTIC_IMAGE": "1",
    }
    assert read(environ) == Settings(
        Path("/somewhere"), "127.30", 4000, 4001, 4002, 2.5, 4003, iam=True, pessimistic_image=True
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LAB_NETWORK", "127.11", "even N"),
        ("LAB_NETWORK", "127.254", "even N"),
        ("LAB_NETWORK", "10.0", "even N"),
        ("LAB_NETWORK", "127.x", "even N"),
        ("LAB_PORT", "443", "LAB_PORT must be a port above 1024"),
        ("LAB_NITRO_PORT", "70000", "LAB_NITRO_PORT must be a port above 1024"),
        ("LAB_ADM_PORT", "80", "LAB_ADM_PORT must be a port above 1024"),
        ("LAB_AWS_PORT", "http", "LAB_AWS_PORT must be a port above 1024"),
        ("LAB_PACE", "0", "LAB_PACE must be a number above 0"),
        ("LAB_PACE", "fast", "LAB_PACE must be a number above 0"),
        ("LAB_PACE", "nan", "LAB_PACE must be a number above 0"),
        ("LAB_IAM", "yes", "LAB_IAM must be 1 or 0"),
        ("LAB_PESSIMISTIC_IMAGE", "on", "LAB_PESSIMISTIC_IMAGE must be 1 or 0"),
    ],
)
def test_a_wrong_setting_is_a_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        read({name: value})
