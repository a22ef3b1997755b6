# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Builds of the appliance's software, and the oldest ones that a purpose needs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BUILD = re.compile(r"(?<![\d.])(\d{2})\.(\d)(?:-|:? Build |: | )(\d+)\.(\d+)(?!\d)")
#: Builds 13.1-37.x are the FIPS line of release 13.1.
_FIPS = 37


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """For example 14.1-51.80: ``release`` (14, 1), ``number`` (51, 80)."""

    release: tuple[int, int]
    number: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.release[0]}.{self.release[1]}-{self.number[0]}.{self.number[1]}"

    @property
    def is_fips(self) -> bool:
        return self.release == (13, 1) and self.number[0] == _FIPS


def parse_build(text: str | None) -> Build | None:
    """Return the build in a version or the name of an image; None if there is none."""
    found = _BUILD.search(text or "")
    if found is None:
        return None
    numbers = [int(part) for part in found.groups()]
    return Build((numbers[0], numbers[1]), (numbers[2], numbers[3]))


@dataclass(frozen=True, slots=True)
class Floor:
    """The oldest builds that will do, one a release; a later release will do, an earlier one will not.

    ``fips``: of the FIPS line; None if none of its builds is known to do.
    """

    builds: tuple[Build, ...]
    fips: Build | None = None

    def met_by(self, build: Build) -> bool:
        if build.is_fips:
            return self.fips is not None and build >= self.fips
        if build.release > max(each.release for each in self.builds):
            return True
        return any(build.release == each.release and build >= each for each in self.builds)

    def __str__(self) -> str:
        named = [str(each) for each in self.builds]
        return " or ".join([*named, f"{self.fips} (FIPS)"] if self.fips else named)


#: Vendor's documentation, "License Activation Service": minimum builds.
LICENSE_ACTIVATION = Floor((Build((14, 1), (51, 80)), Build((13, 1), (60, 29))), Build((13, 1), (37, 247)))
#: Vendor's security bulletins: builds in which each vulnerability is fixed.
FIXED_IN = {
    "CVE-2026-3055": Floor((Build((14, 1), (66, 59)), Build((13, 1), (62, 23)))),
    "CVE-2026-8451": Floor((Build((14, 1), (72, 61)), Build((13, 1), (63, 18)))),
}


def vulnerabilities(build: Build) -> list[str]:
    """Return the known vulnerabilities that are not fixed in a build; of the FIPS line nothing is known here."""
    return [] if build.is_fips else [name for name, floor in FIXED_IN.items() if not floor.met_by(build)]


def vulnerability_warning(name: str | None) -> str | None:
    """Return what to say of an image by its name, None if nothing is known against it."""
    build = parse_build(name)
    open_ones = vulnerabilities(build) if build else []
    if not open_ones:
        return None
    return f"build {build} has {' and '.join(open_ones)}, fixed in {FIXED_IN[open_ones[-1]]}: take a newer image"


def license_problem(mode: str, name: str | None) -> str | None:
    """Return why an image or version cannot be licensed in a mode (``las`` or ``pooled``), None if nothing is known."""
    build = parse_build(name)
    if mode != "las" or build is None or LICENSE_ACTIVATION.met_by(build):
        return None
    return f"build {build} does not know the License Activation Service; it needs {LICENSE_ACTIVATION} or newer"
