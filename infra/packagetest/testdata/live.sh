#!/usr/bin/env bash
# One life of a package on a machine: installed, configured, upgraded, removed,
# purged. $1 is deb or rpm; $2 and $3 are the files of two versions.
set -eux
old=$2 new=$3
case $1 in
deb) install=(dpkg --install) upgrade=(dpkg --install) remove=(dpkg --remove gistdeal) purge=(dpkg --purge gistdeal) zsh=vendor-completions ;;
rpm) install=(rpm --install --nodeps) upgrade=(rpm --upgrade --nodeps) remove=(rpm --erase gistdeal) purge=(true) zsh=site-functions ;;
esac

# Images of containers leave manuals out.
rm -f /etc/dpkg/dpkg.cfg.d/*
# A systemd that notes what it is told.
mkdir -p /run/systemd/system
rm -f /usr/bin/systemctl /bin/systemctl
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$*" >>/told\n' >/usr/bin/systemctl
chmod 0755 /usr/bin/systemctl
told() {
  touch /told
  test "$(cat /told)" = "$1"
  rm /told
}

"${install[@]}" "$old" | tee /said
grep -q 'installed and not started' /said
told daemon-reload
test "$(stat -c '%U:%G %a' /etc/gistdeal)" = 'root:gistdeal 750'
test "$(stat -c '%U:%G %a' /etc/gistdeal/env)" = 'root:root 600'
gistdeal --version
zcat /usr/share/man/man1/gistdeal.1.gz | grep -q '^.TH GISTDEAL'
for file in bash-completion/completions/gistdeal zsh/$zsh/_gistdeal fish/vendor_completions.d/gistdeal.fish; do
  grep -q gistdeal "/usr/share/$file"
done
systemd-analyze verify /usr/lib/systemd/system/gistdeal.service
test ! -e /var/lib/gistdeal

# Settings as the example has them, and secrets as the unit wants them.
for file in pipedrive_api_key github_token admin_token database_password; do
  echo 0123456789abcdef0123456789abcdef | install -m 0640 -g gistdeal /dev/stdin /etc/gistdeal/$file
done
mapfile -t settings < <(sed -n 's/^#\(G[A-Z_]*=\)/\1/p' /etc/gistdeal/env)
as() { setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups "${@:2}"; }
key=PIPEDRIVE_API_KEY_FILE=/etc/gistdeal/pipedrive_api_key
as gistdeal env $key "${settings[@]}" gistdeal serve --check
as nobody env $key gistdeal serve --check 2>&1 | grep 'permission denied'
echo GISTDEAL_LOG=json >>/etc/gistdeal/env
install -d -o gistdeal -m 0700 /var/lib/gistdeal
echo rows >/var/lib/gistdeal/gistdeal.db

"${upgrade[@]}" "$new" | tee /said
if grep -q 'not started' /said; then exit 1; fi
told "$(printf 'daemon-reload\ntry-restart gistdeal.service')"
grep -q GISTDEAL_LOG=json /etc/gistdeal/env

"${remove[@]}" | tee /said
told "$(printf 'disable --now gistdeal.service\ndaemon-reload')"
test ! -e /usr/bin/gistdeal
grep -q GISTDEAL_LOG=json /etc/gistdeal/env*

"${purge[@]}" | tee -a /said
grep -q 'Kept: the database' /said
test ! -e /etc/gistdeal/env
test "$(cat /var/lib/gistdeal/gistdeal.db)" = rows
test -s /etc/gistdeal/pipedrive_api_key
id gistdeal
