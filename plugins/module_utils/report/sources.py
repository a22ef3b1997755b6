# Copyright: (c) 2026, The cloudadc.aws contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the options name, read: policies, recordings, a replay done on the spot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from ..scaling.recordings.base import Recording
from ..scaling.recordings.reading import read_recording
from ..scaling.replay import Options, replay
from ..scaling.samples import node_count
from ..spec.errors import AutoscaleError, PolicyError, SampleError
from ..spec.policy import Policy
from ..spec.times import as_instant
from .model import Trail, Trails, watched

#: So many times the usual step between samples is a gap.
GAP = 2.5


def policies_of(raw: Mapping[str, Any]) -> dict[str, Policy]:
    """Policies by name; errors name the policy."""
    found = {}
    for name, policy in raw.items():
        try:
            found[str(name)] = Policy.from_dict(policy)
        except PolicyError as error:
            raise PolicyError(f"policies.{name}: {error}") from error
    return found


def number_of_nodes(zone: str, given: object) -> int:
    try:
        return node_count(given)
    except SampleError as error:
        raise SampleError(f"node_counts.{zone}: {error}") from error


def kept_in(samples: Sequence[Mapping[str, Any]]) -> tuple[Trails, tuple[tuple[float, int], ...]]:
    """Return the metrics of kept samples, thinned, with their gaps, and how many nodes there were at which instant.

    Args:
        samples: As ``reconcile.kept_samples.read_samples`` returns them.
    """
    instants = [as_instant(each["at"]) for each in samples]
    steps = [later - at for at, later in pairwise(instants)]
    longest = GAP * median(steps) if steps else 0.0
    trails: dict[str, Trail] = {}
    for each, at, step in zip(samples, instants, [*steps, 0.0], strict=False):
        for name, value in each["values"].items():
            trail = trails.setdefault(name, Trail())
            trail.add(at, value)
            if step > longest:  # no node was queried meanwhile: a phase, or no tick
                trail.add(at + step / 2, None)
    counts = tuple((at, each["nodes"]) for each, at in zip(samples, instants, strict=True) if each["nodes"] is not None)
    return _points(trails), counts


def samples_in(path: str, names: Mapping[str, Any], form: str) -> Trails:
    """Return the metrics of a recorded file, thinned."""
    with _opened(path, names, form) as (recording, trails):
        for _batch in recording.batches:
            pass
    return _points(trails)


def replayed(params: Mapping[str, Any], policies: Mapping[str, Policy]) -> tuple[dict[str, Any], Trails]:
    """Replay the option ``recording`` now; what autoscale_replay would return, and the samples on the way."""
    if not policies:
        raise PolicyError("policies is empty; a recording is replayed with at least one, by name")
    for name in ("node_count", "provision_minutes"):
        if params[name] is not None and not params[name] >= 0:
            raise AutoscaleError(f"{name} must be at least 0, not {params[name]:g}")
    options = Options(params["node_count"], params["provision_minutes"] * 60)
    with _opened(params["recording"], params["metric_names"], params["format"]) as (recording, trails):
        result = replay(policies, recording, options)
    return result, _points(trails)


def _points(trails: Mapping[str, Trail]) -> Trails:
    return {name: trail.points() for name, trail in trails.items()}


@contextlib.contextmanager
def _opened(path: str, names: Mapping[str, Any], form: str) -> Iterator[tuple[Recording, dict[str, Trail]]]:
    called = {str(metric): str(name) for metric, name in names.items()}
    trails: dict[str, Trail] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            yield watched(read_recording(stream, called, form), trails), trails
    except UnicodeDecodeError as error:
        raise AutoscaleError(f"{path} is not text in UTF-8: {error}") from error
    except OSError as error:
        raise AutoscaleError(f"cannot read {path}: {error.strerror}") from error
    except AutoscaleError as error:
        raise AutoscaleError(f"{path}: {error}") from error
