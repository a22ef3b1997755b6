#!/usr/bin/env bash
# Builds the collection, installs it into an empty tree and looks at it there, as a user's machine would.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$here/.cache/build
rm -rf "$out"
mkdir -p "$out/tree/ansible_collections"
ln -s "$(readlink -f "$here/.tree/ansible_collections/amazon")" "$out/tree/ansible_collections/amazon"
cd "$here"
"$bin/ansible-galaxy" collection build --output-path "$out" . >/dev/null
tarball=$(ls "$out"/cloudadc-aws-*.tar.gz)
"$bin/ansible-galaxy" collection install --no-deps --offline --collections-path "$out/tree" "$tarball" >/dev/null
if tar --list --file "$tarball" | grep -E '(^|/)(\.venv|\.tree|\.lab|\.cache|\.git)(/|$)'; then
    echo "build: the tarball carries working files that build_ignore should keep out" >&2
    exit 1
fi
shipped=$(find plugins/modules -name '*.py' | wc -l)
listed=$(ANSIBLE_COLLECTIONS_PATH=$out/tree "$bin/ansible-doc" --list --type module cloudadc.aws | wc -l)
[ "$shipped" -gt 0 ] && [ "$shipped" -eq "$listed" ] ||
    { echo "build: $shipped module files, but ansible-doc lists $listed from the installed collection" >&2; exit 1; }
for playbook in "$out"/tree/ansible_collections/cloudadc/aws/playbooks/*.yml; do
    name=cloudadc.aws.$(basename "$playbook" .yml)
    ANSIBLE_COLLECTIONS_PATH=$out/tree "$bin/ansible-playbook" --syntax-check -i localhost, "$name" >/dev/null ||
        { echo "build: $name does not pass --syntax-check from the installed collection" >&2; exit 1; }
done
echo "build: $(basename "$tarball"), $listed modules, installed and read back"
