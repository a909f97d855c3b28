#!/usr/bin/env bash
# Succeeds where the tests can have a Redis: a container, or a redis-server, which is installed where
# that needs no question.
set -euo pipefail

has_container() {
  docker info >/dev/null 2>&1 || return 1
  docker image inspect redis:7 >/dev/null 2>&1 || docker pull --quiet redis:7 >/dev/null 2>&1
}

install_server() {
  local sudo=()
  if command -v brew >/dev/null; then
    brew install --quiet redis
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    sudo=(sudo -n)
  fi
  as_root() { ${sudo[@]+"${sudo[@]}"} "$@"; }
  if command -v apt-get >/dev/null; then
    as_root apt-get update -qq || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server
  elif command -v apk >/dev/null; then
    as_root apk add --quiet redis
  elif command -v dnf >/dev/null; then
    as_root dnf install -y -q redis
  else
    return 1
  fi
}

if command -v redis-server >/dev/null || has_container; then exit 0; fi
echo 'Installing redis-server for the tests...'
install_server >&2 || true
command -v redis-server >/dev/null
