#!/usr/bin/env bash
# Replaces instances behind a balancer one by one, so that readers notice
# nothing: runs COMMAND with each address as its last argument, and goes on once
# the instance at that address is ready. Stops at the first that is not.
#
#   scripts/replace.sh 'restart-one' 10.0.0.1:8050 10.0.0.2:8050 10.0.0.3:8050
#
# COMMAND returns after the old process has ended and the new one was started,
# as `systemctl restart` does. Set GISTDEAL_DRAIN to more than the balancer needs
# to notice that /readyz is 503. Variables: GISTDEAL (the program, for its
# healthcheck), READY_WAIT (60, seconds for one to be ready), SETTLE (5, seconds
# for the balancer to notice that it is).
set -euo pipefail

if [ $# -lt 2 ]; then
  echo "usage: $0 COMMAND ADDRESS..." >&2
  exit 2
fi
command=$1
shift

# ready ADDRESS returns once the instance there is ready, or fails.
ready() {
  local deadline=$((SECONDS + ${READY_WAIT:-60}))
  until "${GISTDEAL:-gistdeal}" healthcheck --addr "$1" >/dev/null 2>&1; do
    if [ $SECONDS -ge $deadline ]; then
      echo "$1 is not ready: the others are left as they are" >&2
      "${GISTDEAL:-gistdeal}" healthcheck --addr "$1" >&2 || true
      return 1
    fi
    sleep 0.2
  done
}

# Nothing is replaced while one that shall stay is down.
for address in "$@"; do
  READY_WAIT=0 ready "$address"
done
for address in "$@"; do
  bash -c "$command \"\$1\"" replace "$address"
  ready "$address"
  sleep "${SETTLE:-5}"
  echo "$address is replaced and ready"
done
