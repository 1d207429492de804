#!/bin/sh
# Runs a PostgreSQL in the folder $2 with the programs in $1 until standard
# input ends, which it does with the test process however that ends.
bin=$1 dir=$2
cd "$dir" || exit 1
end() {
  if pid=$(head -n 1 data/postmaster.pid 2>/dev/null); then
    # Stopped processes would not hear that they shall end.
    # shellcheck disable=SC2046 # Several numbers.
    kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children") 2>/dev/null
    "$bin/pg_ctl" stop -D data -m immediate
  fi
  cd / && rm -rf "$dir"
}
trap end EXIT
trap '' INT TERM HUP
"$bin/initdb" --no-sync -D data -U gistdeal -A trust -E UTF8 --locale=C &&
  # "keyed" is the one role that needs a password.
  { echo 'local all keyed scram-sha-256' && cat data/pg_hba.conf; } >hba && mv hba data/pg_hba.conf &&
  echo "fsync = off
full_page_writes = off
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 300
deadlock_timeout = '100ms'" >>data/postgresql.conf &&
  "$bin/pg_ctl" start -w -D data -l log </dev/null >/dev/null || exit 1
echo ready >&3
read -r _
