#!/usr/bin/env bash
# Type-checks the example and the SDK's Expo adapter against the real Expo packages, as
# package-lock.json names them. Installs them here (477 packages, 320 MB, a minute or two), and
# nowhere else: neither the SDK nor the repository needs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# Node 24 of the repository, to build the SDK.
export PATH="$PWD/../../../node_modules/.bin:$PATH"

(cd .. && node build.ts)
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi
npm run --silent typecheck
echo 'The example and the adapter fit Expo.'
