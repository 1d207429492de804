#!/usr/bin/env bash
# Installs the programs that tests and linters use, where that needs no
# question: Debian or Ubuntu, as root or with sudo that wants no password.
# Elsewhere, and for what cannot be had, it says so and goes on.
set -euo pipefail

have() {
  local name
  for name in "$@"; do
    if command -v "$name" >/dev/null; then return 0; fi
  done
  return 1
}

missing=()
# Ubuntu's chromium package only points to a snap, so any of these will do.
have chromium chromium-browser google-chrome || missing+=(chromium)
have shellcheck || missing+=(shellcheck)
# Completions are tried in the shells that they are for.
have zsh || missing+=(zsh)
have fish || missing+=(fish)
# The manual page is checked by the program that shows it.
have groff || missing+=(groff-base)
have promtool || missing+=(promtool)
# The official clients of both remotes are JavaScript.
have node nodejs || missing+=(nodejs)
have npm || missing+=(npm)
# The start-up script of infra/ runs in namespaces, with what it sets up.
have nginx || [ -x /usr/sbin/nginx ] || missing+=(nginx)
have certbot || missing+=(certbot)
have curl || missing+=(curl)
have ip || missing+=(iproute2)
have iptables || [ -x /usr/sbin/iptables ] || missing+=(iptables)
have openssl || missing+=(openssl)
have stunnel4 || missing+=(stunnel4)
# The image is built and run by an engine that its test starts, on a base that
# has little more than a shell.
have dockerd || missing+=(docker.io)
have busybox || missing+=(busybox-static)
have systemd-analyze || missing+=(systemd)
# The rpm is installed on a copy of this machine, as the deb is.
have rpm || missing+=(rpm)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
# Its server is not on the PATH.
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
# The race detector needs a C compiler.
have gcc cc clang || missing+=(gcc libc6-dev)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if ! have apt-get; then
  echo "not installed: ${missing[*]} (no apt-get here)"
  exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
  as=(env)
elif have sudo && sudo -n true 2>/dev/null; then
  as=(sudo -n env)
else
  echo "not installed: ${missing[*]} (neither root nor sudo without a password)"
  exit 0
fi

apt() {
  "${as[@]}" DEBIAN_FRONTEND=noninteractive timeout 600 \
    apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# Debian's package of promtool would start a Prometheus: only the program is taken.
promtool() {
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && apt download prometheus 2>/dev/null && dpkg-deb -x prometheus_*.deb . &&
    "${as[@]}" install usr/bin/promtool /usr/local/bin/)
  local status=$?
  rm -rf "$folder"
  return $status
}

# Tests start a PostgreSQL of their own: the package shall make none that runs.
clusters=/etc/postgresql-common/createcluster.d
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
  "${as[@]}" mkdir -p "$clusters"
  echo 'create_main_cluster = false' | "${as[@]}" tee "$clusters/gistdeal.conf" >/dev/null
  trap '"${as[@]}" rm -f "$clusters/gistdeal.conf"' EXIT
fi

# A package may start its service unless a policy says no.
rules=/usr/sbin/policy-rc.d
if [[ " ${missing[*]} " =~ \ (nginx|certbot|docker.io|stunnel4)\  && ! -e $rules ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${as[@]}" tee "$rules" >/dev/null
  "${as[@]}" chmod 755 "$rules"
  trap '"${as[@]}" rm -f "$clusters/gistdeal.conf" "$rules"' EXIT
fi

apt update || echo "apt-get update failed; trying with the old lists"
# One by one: a package that is not to be had shall not keep the others away.
for package in "${missing[@]}"; do
  if [ "$package" = promtool ]; then
    promtool
  else
    apt install -y --no-install-recommends "$package" >/dev/null
  fi || echo "not installed: $package (apt-get failed)"
done
