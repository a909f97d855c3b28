#!/usr/bin/env bash
# Succeeds where the tests can have a Chromium, which is installed where that needs no question.
# CHROMIUM names one that is somewhere else. Prints the path of the one that was found.
# Exits with 1 where none can be installed here, and with 2 where one could have been, and was not.
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

# 0: it is installed; 1: there is no way to it here; 2: there is one, and it failed.
install_browser() {
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    sudo=(sudo -n)
  fi
  as_root() { ${sudo[@]+"${sudo[@]}"} "$@"; }
  if command -v apt-get >/dev/null; then
    as_root apt-get update -qq || true
    # Without a font a page has no letters. Where there is nothing to install (no network, or a
    # distribution that has it as a snap alone) the simulation says so.
    local packages=(chromium fonts-liberation)
    apt-get install --simulate -qq --no-install-recommends "${packages[@]}" >/dev/null || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o DPkg::Lock::Timeout=120 "${packages[@]}" || return 2
  elif command -v apk >/dev/null; then
    as_root apk add --simulate --quiet chromium font-liberation || return 1
    as_root apk add --quiet chromium font-liberation || return 2
  elif command -v dnf >/dev/null; then
    as_root dnf info -q chromium >/dev/null || return 1
    as_root dnf install -y -q chromium liberation-sans-fonts || return 2
  else
    return 1
  fi
}

if found; then exit 0; fi
echo 'Installing Chromium for the tests of the console...' >&2
status=0
install_browser >&2 </dev/null || status=$?
if found; then exit 0; fi
[ "$status" -eq 1 ] || status=2
exit "$status"
