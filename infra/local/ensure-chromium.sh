#!/usr/bin/env bash
# Succeeds where the tests can have a Chromium, which is installed where that needs no question.
# CHROMIUM names one that is somewhere else. Prints the path of the one that was found.
set -euo pipefail

found() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' \
    '/Applications/Chromium.app/Contents/MacOS/Chromium'; do
    if [ -n "$candidate" ] && command -v "$candidate"; then return 0; fi
  done
  return 1
}

install_browser() {
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    sudo=(sudo -n)
  fi
  as_root() { ${sudo[@]+"${sudo[@]}"} "$@"; }
  if command -v apt-get >/dev/null; then
    as_root apt-get update -qq || true
    # Without a font a page has no letters.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      chromium fonts-liberation
  elif command -v apk >/dev/null; then
    as_root apk add --quiet chromium font-liberation
  elif command -v dnf >/dev/null; then
    as_root dnf install -y -q chromium liberation-sans-fonts
  else
    return 1
  fi
}

if found; then exit 0; fi
echo 'Installing Chromium for the tests of the console...' >&2
install_browser >&2 || true
found
