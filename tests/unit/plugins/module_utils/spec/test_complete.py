"""A definition that no filter made is refused in one message that names what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.errors import Refusal
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.complete import require_group, require_pair
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.group import read_group
from ansible_collections.cloudadc.aws.plugins.module_utils.spec.pair import read_pair

from .groups import variables

Change = Callable[[dict[str, Any]], object]


def test_what_a_filter_returns_is_complete() -> None:
    require_group(read_group(variables())[0])
    require_group(read_group({"autoscale_group_name": "shop", "autoscale_group_state": "absent"})[0])
    require_pair(read_pair({"ha_pair_name": "shop"})[0])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda found: found.clear(), "name, state, region"),
        (lambda found: found.pop("policy"), "incomplete, policy missing"),
        (lambda found: found["zones"][0].pop("clip"), "zones[0].clip missing"),
        (lambda found: found["applications"][0].pop("domain"), "applications[0].domain missing"),
        (lambda found: found.update(zones="a"), "zones (a list)"),
        (lambda found: found.update(zones=["a"]), "zones[0] (a dictionary)"),
        (lambda found: found.update(dns=None), "dns (a dictionary)"),
        (lambda found: found.update(name=""), "name (a text)"),
        (lambda found: found.update(distributor="gslb"), "distributor (one of nlb, dns)"),
        (lambda found: found.update(topology=None), "topology (one of independent, cluster)"),
    ],
)
def test_a_group_definition_that_lacks_keys_is_refused(change: Change, named: str) -> None:
    definition = read_group(variables())[0]
    change(definition)
    with pytest.raises(Refusal) as refusal:
        require_group(definition)
    assert named in str(refusal.value)
    assert "filter cloudadc.aws.group_definition" in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda found: found.pop("nodes"), "nodes missing"),
        (lambda found: found["nodes"][1].pop("client_subnet_id"), "nodes[1].client_subnet_id missing"),
        (lambda found: found.update(state="gone"), "state (one of present, absent)"),
    ],
)
def test_a_pair_definition_that_lacks_keys_is_refused(change: Change, named: str) -> None:
    definition = read_pair({"ha_pair_name": "shop", "ha_pair_nodes": [{}, {}]})[0]
    change(definition)
    with pytest.raises(Refusal) as refusal:
        require_pair(definition)
    assert named in str(refusal.value)
