"""``python -m tests.lab up|down|serve|status``."""

from __future__ import annotations

import sys

from tests.lab.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
