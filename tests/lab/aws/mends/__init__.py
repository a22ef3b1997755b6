"""Where moto is not faithful to AWS, one module a mend: each names the documentation it follows, each has a test."""

from __future__ import annotations

from importlib import import_module

MENDS = (
    "filters",
    "images",
    "interfaces",
    "subnets",
    "addresses",
    "moving",
    "routes",
    "instances",
    "volumes",
    "groups",
    "quotas",
    "limits",
    "identities",
    "callers",
    "launches",
    "targets",
    "balancers",
    "names",
    "tables",
    "gateways",
    "events",
    "buckets",
)


def install() -> None:
    """Put every mend in place; once is enough for a process, again does no harm."""
    for name in MENDS:
        import_module(f"{__name__}.{name}")
