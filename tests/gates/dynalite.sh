#!/usr/bin/env bash
# Installs dynalite, an implementation of DynamoDB, into .cache with npm, for the contract of the stores. Where node or npm
# is not there, or the registry cannot be reached, it says what is left out, and nothing fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
left_out() {
    echo "integration: dynalite is left out ($1): the store of DynamoDB is tested against moto only" >&2
    exit 0
}
command -v node >/dev/null || left_out "there is no node on this machine"
command -v npm >/dev/null || left_out "there is no npm on this machine"
place=.cache/dynalite
if [ -f "$place/node_modules/dynalite/cli.js" ] && cmp --quiet tests/dynalite/package-lock.json "$place/package-lock.json"; then
    exit 0
fi
mkdir -p "$place"
cp tests/dynalite/package.json tests/dynalite/package-lock.json "$place/"
# No package may run scripts here: the tests keep their tables in memory, and need no compiled part.
if ! said=$(npm ci --prefix "$place" --ignore-scripts --no-audit --no-fund 2>&1); then
    rm -rf "$place"
    left_out "npm could not install it: $(tail -n 1 <<<"$said")"
fi
