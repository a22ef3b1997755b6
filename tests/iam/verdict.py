"""Whether a run that had one action less ended as it must: with a failure, and a sentence that names the action."""

from __future__ import annotations

from tests.stage import Run

#: What a tick does without, and warns: figures that cannot be published must not keep a group from growing.
WARNED = {"cloudwatch:PutMetricData"}


def complaint(action: str, less: Run) -> str | None:
    """What is wrong with how the run ended that had one action less; None if it was as it must be."""
    message = f"perform: {action} " in less.text() or f"{action} is not permitted" in less.text()
    if action in WARNED:
        return None if message else "it does not say so"
    if less.code == 0:
        return "passes"
    return None if message else f"fails, but does not name it\n{tail(less)}"


def tail(run: Run) -> str:
    return "\n".join(run.text().splitlines()[-15:])
