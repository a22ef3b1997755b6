"""How a lab is asked to be: everything that can be set from outside, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

PESSIMISTIC_IMAGE = True
"""How the image forwards packets in labs that are not told: see ``pessimistic_image`` of the appliances' settings."""


class LabError(Exception):
    """Something that is said to the person who runs the lab, in one sentence."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``directory``: where the lab keeps its files. Ports are 0 for "any free one"; ``network`` None likewise.

    ``network`` is the first half of an even /15 of 127.0.0.0/8, such as ``127.10``: VPCs lie in 127.10.0.0/16, Elastic
    IPs in 127.11.0.0/16. ``pace``: how many lab seconds pass in a real one. ``iam``: whether users and roles may do
    only what their policies allow. ``pessimistic_image``: whether appliances route by their table from the start.
    ``owner``: id of the process without which the lab ends, 0 for none.
    """

    directory: Path
    network: str | None = None
    control_port: int = 0
    aws_port: int = 0
    nitro_port: int = 0
    pace: float = 1.0
    adm_port: int = 0
    iam: bool = False
    pessimistic_image: bool = PESSIMISTIC_IMAGE
    owner: int = 0


def read(environ: Mapping[str, str]) -> Settings:
    """What LAB_DIR, LAB_NETWORK, LAB_PACE, LAB_IAM, LAB_PESSIMISTIC_IMAGE, LAB_OWNER and the LAB_…PORT say.

    LabError if one is wrong.
    """
    directory = Path(environ.get("LAB_DIR") or CHECKOUT / ".lab").expanduser()
    return Settings(
        directory=directory.absolute(),
        network=_network(environ.get("LAB_NETWORK") or None),
        control_port=_port(environ, "LAB_PORT"),
        aws_port=_port(environ, "LAB_AWS_PORT"),
        nitro_port=_port(environ, "LAB_NITRO_PORT"),
        adm_port=_port(environ, "LAB_ADM_PORT"),
        pace=_pace(environ.get("LAB_PACE") or "1"),
        iam=_switch(environ, "LAB_IAM"),
        pessimistic_image=_switch(environ, "LAB_PESSIMISTIC_IMAGE", default=PESSIMISTIC_IMAGE),
        owner=int(environ.get("LAB_OWNER") or "0"),
    )


def _network(text: str | None) -> str | None:
    if text is None:
        return None
    first, _ignored, second = text.partition(".")
    if first != "127" or not second.isdigit() or not 2 <= int(second) <= 252 or int(second) % 2:
        raise LabError(f"LAB_NETWORK must be 127.N with an even N from 2 to 252, such as 127.10, not '{text}'")
    return f"127.{int(second)}"


def _switch(environ: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    text = environ.get(name) or str(int(default))
    if text not in ("0", "1"):
        raise LabError(f"{name} must be 1 or 0, not '{text}'")
    return text == "1"


def _port(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name) or "0"
    if not text.isdigit() or not (int(text) == 0 or 1024 < int(text) < 65536):
        raise LabError(f"{name} must be a port above 1024 (or 0 for any free one), not '{text}'")
    return int(text)


def _pace(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor <= 100_000:
        raise LabError(f"LAB_PACE must be a number above 0, not '{text}'")
    return factor
