#!/usr/bin/env bash
# Builds the site in docs/build/html, or (second argument: lint) checks the documentation that the collection carries.
# Both look at a copy of the files that git knows: the trees in a checkout lead back to the checkout, and antsibull-docs,
# which follows links, would not come to an end.
set -euo pipefail
bin=$1
what=${2:-site}
here=$(cd "$(dirname "$0")/../.." && pwd)
cache=$here/.cache/docs-$what
copy=$cache/ansible_collections/cloudadc/aws
rm -rf "$cache"
mkdir -p "$copy"
(cd "$here" && git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null) |
    tar --extract --directory "$copy"
# Its document fragments are amazon.aws's; every further collection costs seconds and gives nothing.
ln -s "$(readlink -f "$here/.tree/ansible_collections/amazon")" "$cache/ansible_collections/amazon"
export ANSIBLE_COLLECTIONS_PATH=$cache PATH=$bin:$PATH LC_ALL=C.UTF-8
if [ "$what" = lint ]; then
    # rstcheck is left out: `make docs` has Sphinx read the same pages, and it knows more.
    (cd "$copy" && "$bin/antsibull-docs" lint-collection-docs --plugin-docs --skip-rstcheck \
        --validate-collection-refs=self --disallow-unknown-collection-refs .) ||
        { echo "docs: the lines above are complaints of antsibull-docs" >&2; exit 1; }
    exit 0
fi
reference=$here/docs/reference
rm -rf "$reference" "$here/docs/build"
mkdir -p "$reference"
"$bin/antsibull-docs" collection --use-current --squash-hierarchy --fail-on-error --dest-dir "$reference" cloudadc.aws
# The theme has a table of contents of its own and shows an error where a page brings another.
find "$reference" -name '*.rst' -exec sed -i '/^\.\. contents::$/,/^$/d' {} +
"$bin/python" "$here/tests/gates/event_sources.py" "$here/extensions/eda/plugins/event_source" > "$reference/event_sources.rst"
"$bin/python" -m sphinx -b html -W --keep-going -n -q -d "$here/docs/build/doctrees" "$here/docs" "$here/docs/build/html"
pages=$(find "$here/docs/build/html" -name '*.html' | wc -l)
echo "docs: $pages pages, docs/build/html/index.html"
