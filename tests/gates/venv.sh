#!/usr/bin/env bash
# Makes the virtualenv that everything here runs in, from PyPI alone. Says in a sentence what is missing.
# Versions are those of tests/locks/<Python>.txt, or of the newest older Python that has a lock; UNLOCKED=1 takes the newest.
# PRE=1 with it: of ansible, and so of ansible-core and amazon.aws, also releases to come.
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
lock=
if [ -z "${UNLOCKED:-}" ]; then
    minor=$("$venv/bin/python" -c 'import sys; print(sys.version_info[1])')
    while [ "$minor" -ge 11 ] && [ ! -f "$here/tests/locks/3.$minor.txt" ]; do minor=$((minor - 1)); done
    lock=$here/tests/locks/3.$minor.txt
    [ -f "$lock" ] || { echo "make: no lock for this Python in tests/locks; 'make update' writes one" >&2; exit 1; }
fi
echo "make: installing what is needed from PyPI into $venv (once)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check ${lock:+-c "$lock"} -r "$here/requirements.txt" -r "$here/tests/requirements.txt" ${PRE:+"ansible>=15.0.0a0"} ||
    { echo "make: pip could not install $here/tests/requirements.txt; is PyPI (or the index pip is configured with) reachable?" >&2; exit 1; }
touch "$venv/.done"
