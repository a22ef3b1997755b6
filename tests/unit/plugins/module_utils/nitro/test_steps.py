"""Converging: what a cut connection means, what is saved when, and how values from outside are read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cloudadc.aws.plugins.module_utils.core.nitro_errors import (
    NitroCut,
    NitroError,
    NitroInputError,
)
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro import steps
from ansible_collections.cloudadc.aws.plugins.module_utils.nitro.steps import Change, converge
from tests.unit.plugins.module_utils.nitro.memory_appliance import MemoryAppliance

NAMES = ("a", "b", "c")


class Flaky(MemoryAppliance):
    """Cuts the connection at the writes of these numbers, after or before carrying them out."""

    def __init__(self, cuts: dict[int, str]) -> None:
        super().__init__()
        self.cuts = cuts

    def _write(self, what: str, carry_out: Any) -> None:
        when = self.cuts.get(len(self.writes) + 1)
        if when == "before":
            self.writes.append(what)
        else:
            super()._write(what, carry_out)
        if when:
            raise NitroCut(f"{what}: the connection broke")


def run(there: MemoryAppliance, *, check: bool = False, save: bool = True) -> steps.Outcome[set[str]]:
    def read() -> set[str]:
        return {row["name"] for row in there.get("ipset")}

    def plan(found: set[str]) -> list[Change]:
        return [Change("add", "ipset", body={"name": name}) for name in NAMES if name not in found]

    return converge(there, read, plan, check=check, save=save)


@pytest.mark.parametrize(
    "cuts", [{}, {1: "after"}, {2: "before"}, {1: "before", 2: "after"}, {4: "before"}, {4: "after"}]
)
def test_after_a_cut_it_is_looked_again_and_the_rest_is_done(cuts: dict[int, str]) -> None:
    there = Flaky(cuts)
    done = run(there)
    assert (done.before, done.after, len(done.steps)) == (set(), set(NAMES), 3)
    assert there.objects == there.saved


def test_a_connection_that_always_breaks_is_given_up() -> None:
    there = Flaky(dict.fromkeys(range(1, 100), "before"))
    with pytest.raises(NitroCut, match="add ipset: the connection broke"):
        run(there)
    assert there.writes == ["add ipset"] * 3


def test_a_refusal_is_not_tried_again() -> None:
    there = MemoryAppliance()

    def plan(found: object) -> list[Change]:
        return [Change("bind", "ipset_nsip_binding", body={"name": "a", "ipaddress": "10.0.0.1"})]

    with pytest.raises(NitroError, match="no such ipset a"):
        converge(there, lambda: None, plan, check=False, save=True)
    assert there.writes == ["bind ipset_nsip_binding"]


def test_a_failure_in_the_middle_names_what_was_done_before_it() -> None:
    secret = {"monitorname": "web-mon", "type": "LDAP", "password": "geheim"}
    steps_to_do = [
        Change("add", "lbmonitor", body=secret),
        Change("delete", "server", "old"),
        Change("bind", "ipset_nsip_binding", body={"name": "a", "ipaddress": "10.0.0.1"}),
    ]
    there = MemoryAppliance({"server": [{"name": "old"}]})
    with pytest.raises(NitroError, match="no such ipset a") as caught:
        steps.apply(there, steps_to_do)
    assert str(caught.value).endswith("; done before that, and not saved: add lbmonitor web-mon, delete server old")


def test_check_mode_reads_and_plans() -> None:
    there = MemoryAppliance()
    done = run(there, check=True)
    assert (len(done.steps), done.saved, done.before == done.after) == (3, False, True)
    assert there.writes == []


@pytest.mark.parametrize("save", [True, False])
def test_it_is_saved_once_only_if_something_changed_and_only_if_asked(save: bool) -> None:
    there = MemoryAppliance()
    assert run(there, save=save).saved is save
    assert there.writes.count("save") == int(save)
    there.writes.clear()
    assert run(there, save=False).saved is False
    assert run(there).saved is not save, "what an earlier run left unsaved is saved, and nothing else is"
    assert there.writes == ([] if save else ["save"])


@pytest.mark.parametrize(("text", "same"), [("10.0.0.1", " 10.0.0.1"), ("2001:db8::1", "2001:DB8:0::0001")])
def test_an_address_has_one_canonical_form(text: str, same: str) -> None:
    assert steps.canonical(same) == text


@pytest.mark.parametrize("text", ["", "*", "10.0.0", "10.0.0.01", "10.0.0.1/24", None, 7.5])
def test_what_is_no_address_is_refused_of_a_user_and_none_of_an_appliance(text: Any) -> None:
    with pytest.raises(NitroInputError, match="is not an IP address"):
        steps.canonical(text)
    assert steps.canonical_or_none(text) is None


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (" 7 ", 7), ("", None), (None, None), ("*", None)])
def test_numbers_come_as_text_too(value: Any, number: int | None) -> None:
    assert steps.whole(value) == number
