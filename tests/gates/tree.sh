#!/usr/bin/env bash
# Lays the `ansible_collections` tree that Ansible, mypy and ansible-test want to see, by symlinks:
# this checkout as cloudadc.aws, and next to it the collections that the `ansible` wheel carries.
set -euo pipefail
tree=$1
bin=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
site=$("$bin/python" -c 'import ansible_collections, os; print(os.path.dirname(ansible_collections.__file__ or list(ansible_collections.__path__)[0]))')
[ -d "$site/amazon" ] || site=$("$bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/ansible_collections
[ -d "$site/amazon/aws" ] || { echo "make: amazon.aws is not in $site; the 'ansible' wheel should have brought it" >&2; exit 1; }
rm -rf "$tree"
mkdir -p "$tree/ansible_collections/cloudadc"
ln -sfn "$here" "$tree/ansible_collections/cloudadc/aws"
for collection in amazon ansible awx community; do
    if [ -d "$site/$collection" ]; then ln -sfn "$site/$collection" "$tree/ansible_collections/$collection"; fi
done
if [ ! -e "$tree/ansible_collections/awx" ]; then
    carried=$(bash "$here/tests/gates/awx.sh" "$bin")
    ln -sfn "$carried/awx" "$tree/ansible_collections/awx"
fi
touch "$tree/.done"
