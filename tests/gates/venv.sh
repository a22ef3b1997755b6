#!/usr/bin/env bash
# Makes the virtualenv that everything here runs in, from PyPI alone. Says in a sentence what is missing.
set -euo pipefail
venv=$1
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")/../.." && pwd)
command -v "$python" >/dev/null || { echo "make: no '$python' found; install Python 3.11 or newer, or name one: PYTHON=/path/to/python make …" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "make: $("$python" --version) is too old; Python 3.11 or newer is needed: PYTHON=/path/to/python make …" >&2; exit 1; }
if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" 2>/dev/null ||
        { rm -rf "$venv"; echo "make: '$python -m venv' failed; install this Python's venv and ensurepip modules (on Debian and Ubuntu: the python3-venv package)" >&2; exit 1; }
fi
echo "make: installing what is needed from PyPI into $venv (once)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" -r "$here/tests/requirements.txt" ||
    { echo "make: pip could not install $here/tests/requirements.txt; is PyPI (or the index pip is configured with) reachable?" >&2; exit 1; }
touch "$venv/.done"
