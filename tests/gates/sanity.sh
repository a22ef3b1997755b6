#!/usr/bin/env bash
# ansible-test sanity over the files git knows, in a copy laid out as ansible-test demands, with no ignore file.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
copy=$here/.cache/sanity/ansible_collections
rm -rf "$copy"
mkdir -p "$copy/cloudadc/aws"
(cd "$here" && git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null) |
    tar --extract --directory "$copy/cloudadc/aws"
ln -s "$(readlink -f "$here/.tree/ansible_collections/amazon")" "$copy/amazon"
# ansible-test asks git which files there are; the outer repository ignores this copy, so it needs one of its own.
git init --quiet "$copy/cloudadc/aws"
# ansible-test bootstraps pip from a site of its own; ensurepip, which every Python carries, does the same work offline.
cache=${HOME:?}/.ansible/test/cache
mkdir -p "$cache"
"$bin/python" - "$cache" <<'PY'
import pathlib
import re
import sys

import ansible_test._internal.python_requirements as requirements

source = pathlib.Path(requirements.__file__).read_text(encoding="utf-8")
stand_in = (
    "import ensurepip, os, subprocess, sys\n"
    "environ = dict(os.environ)  # ensurepip takes the pip settings out of its own\n"
    "ensurepip.bootstrap()\n"
    'args = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]\n'
    'sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + args, env=environ))\n'
)
versions = set(re.findall(r"'(2\d\.\d(?:\.\d)?)'", source))
if not versions:
    sys.exit("make sanity: this ansible-test does not name its pip version where it used to")
for version in versions:
    pathlib.Path(sys.argv[1], f"get_pip_{version.replace('.', '_')}.py").write_text(stand_in, encoding="utf-8")
PY
cd "$copy/cloudadc/aws"
version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
exec "$bin/ansible-test" sanity --local --color no --python "$version" "${@:2}"
