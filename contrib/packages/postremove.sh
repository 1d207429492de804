#!/bin/sh
# After a removal. A purge removes the settings that the package brought, and
# never what only this machine has: the database and the secrets.
set -e
if [ "$1" = remove ] || [ "$1" = 0 ]; then
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi
if [ "$1" = purge ] || [ "$1" = 0 ]; then
  echo "Kept: the database in /var/lib/gistdeal, secrets in /etc/gistdeal, and the user gistdeal."
  echo "To delete them: rm -r /var/lib/gistdeal /etc/gistdeal; userdel gistdeal"
fi
