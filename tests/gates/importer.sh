#!/usr/bin/env bash
# What Galaxy does with an upload, and what ansible-builder reads: both must find nothing to complain of.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
copy=$here/.cache/importer/src
rm -rf "$here/.cache/importer"
mkdir -p "$copy"
(cd "$here" && git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=-) | tar --extract --directory "$copy"
cd "$here/.cache/importer"
printf '[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = True\n' > importer.cfg
(cd "$copy" && GALAXY_IMPORTER_CONFIG=$here/.cache/importer/importer.cfg \
    "$bin/python" -m galaxy_importer.main --git-clone-path "$copy" --output-path "$here/.cache/importer") > importer.log 2>&1 ||
    { cat importer.log >&2; exit 1; }
grep -q 'Collection loading complete' importer.log || { cat importer.log >&2; exit 1; }
if grep -E '\b(WARNING|ERROR)\b' importer.log; then
    echo "importer: the lines above are complaints of galaxy-importer" >&2
    exit 1
fi
"$bin/ansible-builder" introspect --sanitize "$here/.cache/build/tree" > introspect.log 2>&1 || { cat introspect.log >&2; exit 1; }
grep -q boto3 introspect.log || { echo "importer: ansible-builder does not find the Python requirements" >&2; cat introspect.log >&2; exit 1; }
echo "importer: galaxy-importer and ansible-builder have nothing to complain of"
