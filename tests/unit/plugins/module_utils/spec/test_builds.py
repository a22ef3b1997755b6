"""Builds: read from versions and names of images, and compared with what a purpose needs."""

from __future__ import annotations

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.spec import builds

PRODUCT = "63425ded-82f0-4b54-8cdd-6ec8b94bd4f8"


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("14.1-51.80", "14.1-51.80"),
        (f"Citrix ADC 14.1-43.50-{PRODUCT}", "14.1-43.50"),
        (f"NetScaler ADC 14.1 72.61-{PRODUCT}", "14.1-72.61"),
        ("NetScaler NS13.1: Build 60.29.nc, Date: Jan 16 2026", "13.1-60.29"),
        ("my-own-adc-image", None),
        (PRODUCT, None),
        ("", None),
        (None, None),
    ],
)
def test_a_build_is_read_from_a_text(text: str | None, build: str | None) -> None:
    found = builds.parse_build(text)
    assert (str(found) if found else None) == build


@pytest.mark.parametrize(
    ("version", "is_known"),
    [
        ("14.1-51.80", True),
        ("14.1-51.79", False),
        ("14.1-43.50", False),
        ("13.1-60.29", True),
        ("13.1-60.28", False),
        ("13.1-37.247", True),
        ("13.1-37.246", False),
        ("13.0-92.31", False),
        ("15.1-1.10", True),
    ],
)
def test_builds_that_know_the_license_activation_service(version: str, is_known: bool) -> None:
    problem = builds.license_problem("las", version)
    assert (problem is None) == is_known
    assert builds.license_problem("pooled", version) is None
    if problem:
        assert "14.1-51.80 or 13.1-60.29 or 13.1-37.247 (FIPS) or newer" in problem


def test_a_version_that_tells_no_build_is_not_refused() -> None:
    assert builds.license_problem("las", "unknown") is None


@pytest.mark.parametrize(
    ("name", "open_ones"),
    [
        ("14.1-72.61", []),
        ("14.1-66.59", ["CVE-2026-8451"]),
        ("14.1-43.50", ["CVE-2026-3055", "CVE-2026-8451"]),
        ("13.1-63.18", []),
        ("13.1-62.23", ["CVE-2026-8451"]),
        ("12.1-65.15", ["CVE-2026-3055", "CVE-2026-8451"]),
        ("13.1-37.200", []),
        ("own image", []),
    ],
)
def test_images_with_known_vulnerabilities_get_a_warning(name: str, open_ones: list[str]) -> None:
    message = builds.vulnerability_warning(name)
    assert (message is None) == (not open_ones)
    assert all(one in str(message) for one in open_ones)
