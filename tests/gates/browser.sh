#!/usr/bin/env bash
# Prints the path of a headless browser for the tests of the report: one that is there, or Debian's, installed when this
# machine lets us. Says in a sentence what is missing otherwise.
set -euo pipefail
find_browser() {
    local name
    for name in ${BROWSER_PATH:+"$BROWSER_PATH"} chromium chromium-browser google-chrome google-chrome-stable; do
        if command -v "$name"; then return 0; fi
    done
    return 1
}
if find_browser; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "integration: no browser found to look at the report with (chromium, chromium-browser or google-chrome); install one, or name one: BROWSER_PATH=/path/to/chromium make …" >&2
    exit 1
fi
echo "integration: installing chromium with apt-get (once)" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "integration: apt-get could not install chromium (its last words are above); the report's tests need a browser: install chromium or google-chrome, or name one with BROWSER_PATH" >&2
    exit 1
fi
find_browser || { echo "integration: chromium was installed but is not on the PATH" >&2; exit 1; }
