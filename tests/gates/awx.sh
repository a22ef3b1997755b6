#!/usr/bin/env bash
# Where to find collection awx.awx: in the newest `ansible` wheels it is not, so it is taken from the last one that has it
# for every Python (52 MB, once). Prints the folder that holds awx/.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
cache=$here/.cache/awx
if [ ! -d "$cache/ansible_collections/awx/awx" ]; then
    rm -rf "$cache"
    mkdir -p "$cache"
    "$bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$cache" 'ansible==12.3.0' >&2 ||
        { echo "make: pip could not download ansible 12.3.0, which carries the collection awx.awx" >&2; exit 1; }
    "$bin/python" - "$cache" <<'PYTHON'
import pathlib, sys, zipfile
cache = pathlib.Path(sys.argv[1])
[wheel] = cache.glob("ansible-*.whl")
with zipfile.ZipFile(wheel) as packed:
    packed.extractall(cache, [name for name in packed.namelist() if name.startswith("ansible_collections/awx/")])
wheel.unlink()
PYTHON
fi
echo "$cache/ansible_collections"
