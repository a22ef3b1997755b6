"""A playbook passes with exactly the policy that is shipped for it; with one action less it fails and names it.

IAM=all: every action of every playbook; otherwise a sample that IAM_SEED draws (it is printed).
"""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest

from tests.iam.cases import Case, cases, drawn
from tests.iam.shipped import POLICIES, Statement, actions, controller, statements, without
from tests.iam.verdict import complaint, tail
from tests.stage import Run, Stage

EVERYTHING = os.environ.get("IAM", "sample") == "all"
SEED = os.environ["IAM_SEED"]
CHOSEN = cases() if EVERYTHING else drawn(random.Random(SEED))
# How many actions of a case a sample takes away.
SAMPLE = 1

#: Needed only while another job has the record for a moment; "tick beside another job" shows it of the same module.
BESIDE_OTHERS = {"scale_out": {"dynamodb:GetItem"}, "scale_in": {"dynamodb:GetItem"}}

used: dict[str, set[str]] = defaultdict(set)
tried: set[tuple[str, str]] = set()


@pytest.mark.timeout(0)
@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name.replace(" ", "-"))
def test_exactly_its_policy_and_one_action_less(stage: Stage, case: Case) -> None:
    print(f"IAM_SEED={SEED}")
    granted = statements(case.playbook, case.given)
    whole = play(stage, case, granted)
    assert whole.code == 0, f"{case.name} does not pass with its policy; see {whole.log}\n{tail(whole)}"
    needed = sorted(actions(granted) & called(stage, whole))
    used[case.playbook] |= set(needed)
    print(f"{case.name}: passes, and needs {len(needed)} of {len(actions(granted))} actions")
    wrong = {}
    for action in chosen(case, needed):
        less = play(stage, case, without(action, granted))
        problem = complaint(action, less)
        print(f"  without {action}: {problem or 'fails, and names it'} ({less.seconds:.0f} s)", flush=True)
        if problem:
            wrong[action] = f"{problem}; see {less.log}"
    assert not wrong, "\n".join(f"without {action}: {problem}" for action, problem in wrong.items())


@pytest.mark.skipif(not EVERYTHING, reason="what is needed at all is known when all cases were played")
@pytest.mark.parametrize("playbook", sorted({case.playbook for case in cases()}))
def test_no_action_is_unused(playbook: str) -> None:
    """After all cases, in the same process."""
    assert actions(statements(playbook)) - used[playbook] - BESIDE_OTHERS.get(playbook, set()) == set()


def play(stage: Stage, case: Case, granted: list[Statement]) -> Run:
    """Run the case from its beginning with exactly these rights."""
    case.set_up(stage)
    with controller(stage, granted):
        return stage.play(case.playbook, *case.arguments, variables=case.variables, must_succeed=False)


def called(stage: Stage, run: Run) -> set[str]:
    """Every action that was needed since this run began."""
    return {action for call in stage.lab.calls(run.started, side="aws") for action in call.needs}


def chosen(case: Case, needed: list[str]) -> list[str]:
    """Which actions are taken away: each once a playbook, or some of them."""
    if not EVERYTHING:
        return random.Random(f"{SEED}/{case.name}").sample(needed, min(SAMPLE, len(needed)))
    fresh = [action for action in needed if (case.playbook, action) not in tried]
    tried.update((case.playbook, action) for action in fresh)
    return fresh


def test_there_is_a_case_for_every_playbook() -> None:
    shipped = {path.stem for path in POLICIES.glob("*.json") if not path.stem.startswith("appliance_")}
    assert {case.playbook for case in cases()} == shipped - {"preflight"}  # which does without what it may not
