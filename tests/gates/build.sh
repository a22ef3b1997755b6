#!/usr/bin/env bash
# Builds the collection, installs it into an empty tree and looks at it there, as a user's machine would.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$here/.cache/build
rm -rf "$out"
mkdir -p "$out/tree/ansible_collections"
# amazon.aws is a dependency; awx.awx is what playbook controller asks for, and nothing else does.
for collection in amazon awx; do
    ln -s "$(readlink -f "$here/.tree/ansible_collections/$collection")" "$out/tree/ansible_collections/$collection"
done
cd "$here"
"$bin/ansible-galaxy" collection build --output-path "$out" . >/dev/null
tarball=$(ls "$out"/cloudadc-aws-*.tar.gz)
# From here on nothing may find the checkout instead: only the tree just laid counts.
unset PYTHONPATH
export ANSIBLE_COLLECTIONS_PATH=$out/tree
"$bin/ansible-galaxy" collection install --no-deps --offline --force --collections-path "$out/tree" "$tarball" >/dev/null 2>"$out/install.log" ||
    { cat "$out/install.log" >&2; exit 1; }
installed=$out/tree/ansible_collections/cloudadc/aws
[ -f "$installed/MANIFEST.json" ] || { echo "build: nothing was installed into the empty tree" >&2; exit 1; }
if tar --list --file "$tarball" | grep -E '(^|/)(\.venv|\.tree|\.lab|\.cache|\.git)(/|$)'; then
    echo "build: the tarball carries working files that build_ignore should keep out" >&2
    exit 1
fi
shipped=$(find plugins/modules -name '*.py' | wc -l)
listed=$("$bin/ansible-doc" --list --type module cloudadc.aws | wc -l)
[ "$shipped" -gt 0 ] && [ "$shipped" -eq "$listed" ] ||
    { echo "build: $shipped module files, but ansible-doc lists $listed from the installed collection" >&2; exit 1; }
for playbook in "$installed"/playbooks/*.yml; do
    name=cloudadc.aws.$(basename "$playbook" .yml)
    "$bin/ansible-playbook" --syntax-check -i localhost, "$name" >/dev/null ||
        { echo "build: $name does not pass --syntax-check from the installed collection" >&2; exit 1; }
done
# The execution environment's definition has to name the tarball that was just built; only a container engine is left out.
cp "$here"/{execution-environment.yml,requirements.txt,bindep.txt} "$out/"
(cd "$out" && "$bin/ansible-builder" create --file execution-environment.yml --context context >create.log 2>&1) &&
    [ -f "$out/context/_build/collections/$(basename "$tarball")" ] ||
    { cat "$out/create.log" >&2; echo "build: execution-environment.yml does not hold $(basename "$tarball")" >&2; exit 1; }
echo "build: $(basename "$tarball"), $listed modules, installed and read back"
