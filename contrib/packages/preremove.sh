#!/bin/sh
# Before a removal, by dpkg ("remove") or rpm ("0"); an upgrade lets the service run.
set -e
if [ "$1" = remove ] || [ "$1" = 0 ]; then
  if [ -d /run/systemd/system ]; then systemctl disable --now gistdeal.service; fi
fi
