#!/usr/bin/env bash
# The row of the newest Python on this machine, with the versions of its lock (tests/locks), or, with UNLOCKED=1, the newest
# ansible-core and amazon.aws that pip finds for it (PRE=1: pre-releases of Ansible among them). In a copy of the files git knows, with an environment of its own.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
own=$("$bin/python" -c 'import sys; print("3.%d" % sys.version_info[1])')
newest=
for minor in 14 13 12; do
    # pyenv keeps what it has not put on the PATH in its own folder.
    kept=$(ls -d "$(pyenv root 2>/dev/null || echo "$HOME/.pyenv")"/versions/3."$minor".*/bin/python3 2>/dev/null | tail -n 1 || true)
    for candidate in "python3.$minor" "$kept"; do
        if [ -n "$candidate" ] && "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then newest=$candidate; break 2; fi
    done
done
if [ -z "$newest" ]; then echo "make test-matrix: Python $own is the newest here: the row of a newer ansible-core is left out"; exit 0; fi
version=$("$newest" -c 'import sys; print("3.%d" % sys.version_info[1])')
if [ "$version" = "$own" ]; then echo "make test-matrix: the environment has Python $own already: its row is the newest"; exit 0; fi
copy=$here/.cache/matrix/$version${UNLOCKED:+-newest}${PRE:+-pre}
mkdir -p "$copy"
find "$copy" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .cache ! -name .git -exec rm -rf {} +
(cd "$here" && git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null) |
    tar --extract --directory "$copy"
# Gates ask git which files there are; the outer repository ignores this copy, so it needs one of its own.
git init --quiet "$copy"
unset MAKEFLAGS MAKELEVEL VENV ANSIBLE_COLLECTIONS_PATH PYTHONPATH MYPYPATH
exec make --no-print-directory -C "$copy" PYTHON="$newest" LABS="${LABS:-3}" row
