"""``make demo``: what this collection does, shown on an AWS region that fits on this machine."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.demo import group, ha_pair
from tests.demo.output import Output
from tests.lab.client import running
from tests.lab.settings import CHECKOUT
from tests.stage import Stage, StageError


def main() -> int:
    cache = CHECKOUT / ".cache"
    cache.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="demo-", dir=cache))
    output = Output(sys.stdout)
    try:
        output.title("An HA pair of NetScaler VPX on AWS, in a region that fits on this machine")
        with running(directory) as lab:
            stage = Stage(lab)
            ha_pair.report(stage, output)
            _groups(stage, output)
    except (StageError, RuntimeError, AssertionError) as error:
        print(f"\ndemo: {error}\n\nEverything that was said is in {directory}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ndemo: interrupted; the lab has ended. What was said until then is in {directory}", file=sys.stderr)
        return 130
    shutil.rmtree(directory)
    return 0


def _groups(stage: Stage, output: Output) -> None:
    """A group behind a load balancer, then one behind DNS, each in an account of its own."""
    folder = CHECKOUT / "demo-report"
    folder.mkdir(exist_ok=True)
    for distributor in group.PAGES:
        output.title(
            f"A group behind {distributor}: memory 40/85 %, watch 3 min, cooldown 10 min, drain 10 min, T1 to T33 "
            f"with a minute of the lab in a second"
        )
        stage.lab.reset()
        group.build(stage, distributor, output)
        group.page(stage, group.report(stage, distributor, output), folder, output)


if __name__ == "__main__":
    sys.exit(main())
