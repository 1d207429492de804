#!/bin/sh
# After an installation or an upgrade, by dpkg ("configure", former version) or
# by rpm (number of versions). Nothing starts that did not run before.
set -e
upgrade=
if { [ "$1" = configure ] && [ -n "$2" ]; } || [ "$1" = 2 ]; then upgrade=yes; fi

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers gistdeal.conf
elif ! getent passwd gistdeal >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/gistdeal --shell /usr/sbin/nologin gistdeal
fi
chgrp gistdeal /etc/gistdeal

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  if [ -n "$upgrade" ]; then systemctl try-restart gistdeal.service; fi
fi
if [ -z "$upgrade" ]; then
  cat <<'TEXT'
gistdeal is installed and not started. Next:
  printenv PIPEDRIVE_API_KEY | install -m 0640 -g gistdeal /dev/stdin /etc/gistdeal/pipedrive_api_key
  systemctl enable --now gistdeal
TEXT
fi
