#!/usr/bin/env bash
# Replaces commands that only a machine on AWS has, in tests of the start-up script.
# Called under the name of a command, it has the effect of that command here, and
# refuses unknown arguments.
set -euo pipefail
name=${0##*/}
told=/var/log/standin
digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
mkdir -p "$told" /run/standin/enabled /run/standin/active
echo "$name $*" >>"$told/calls"

refuse() {
  echo "stand-in: no idea what to do: $name $*" >>"$told/refused"
  echo "stand-in: no idea what to do: $name $*" >&2
  exit 64
}

unit() { [ -e "/etc/systemd/system/$1" ] || [ -e "/lib/systemd/system/$1" ]; }

running() { [ -s "$1" ] && kill -0 "$(<"$1")" 2>/dev/null; }

# units reads the folder of units again, like `systemctl daemon-reload`.
units() {
  mkdir -p /run/standin/units
  cp /etc/systemd/system/gistdeal* /run/standin/units/ 2>/dev/null || true
}

# each KEY UNIT carries out the lines KEY= of a unit.
each() {
  local line
  while IFS= read -r line; do
    case $line in
    "$1=-"*) bash -c "${line#"$1=-"}" || true ;;
    "$1="*) bash -c "${line#"$1="}" ;;
    esac
  done < <(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba}' "/run/standin/units/$2")
}

install_packages() {
  local package path
  for package in "$@"; do
    path=$(awk -v name="$package" '$1 == name { print $2 }' /srv/packages)
    [ -n "$path" ] || refuse "$package"
    echo "$package" >>"$told/packages"
    if [ "$path" = - ] || [ -e "$path" ]; then continue; fi
    mv "/opt/packages/$package" "$path"
    # Debian and Ubuntu start a service when they install it.
    if [ "$package" = nginx ]; then nginx; fi
  done
}

docker_run() {
  local -a env=()
  local line
  while IFS= read -r line; do
    case $line in '' | '#'*) ;; *) env+=("$line") ;; esac
  done </etc/gistdeal/env
  supervise setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all \
    env -i "${env[@]}" /srv/bin/gistdeal serve </dev/null >>"$told/container.log" 2>&1 &
  until [ -s /run/standin/container ]; do /bin/sleep 0.05; done
}

# supervise runs a command as --restart on-failure:10 does, but without pauses.
supervise() {
  local status try
  for try in {0..10}; do
    setsid "$@" &
    echo $! >/run/standin/container
    status=0
    wait $! || status=$?
    # One that was removed has no end to remember.
    [ -e /run/standin/container ] || return 0
    echo "$status $try" >/run/standin/ended
    if [ "$status" -eq 0 ] || [ -e /run/standin/stopped ]; then return 0; fi
  done
}

docker_stop() {
  [ -e /run/standin/container ] || return 1
  touch /run/standin/stopped
  running /run/standin/container || return 0
  kill "$(<"/run/standin/container")"
  while running /run/standin/container; do /bin/sleep 0.05; done
}

case "$name $*" in
'sleep '*) exec /bin/sleep 0.1 ;;

'snap wait system seed.loaded') ;;
'snap install aws-cli --classic') mkdir -p /snap/bin && cp "$0" /snap/bin/aws ;;
'apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update') touch /run/standin/updated ;;
'apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y --no-install-recommends --no-upgrade '*)
  [ -e /run/standin/updated ] || refuse "$@"
  shift 9
  install_packages "$@"
  ;;

'fallocate -l 2G /swapfile') truncate -s 2G /swapfile ;;
'swapon --show=NAME --noheadings') cat /run/standin/swap 2>/dev/null || true ;;
'swapon /swapfile')
  [ "$(stat -c %a /swapfile)" = 600 ] || refuse "$@"
  [ "$(dd if=/swapfile bs=1 skip=4086 count=10 status=none)" = SWAPSPACE2 ] || refuse "$@"
  echo /swapfile >/run/standin/swap
  ;;
'mount /mnt/gistdeal')
  grep -q '^127.0.0.1:/ /mnt/gistdeal nfs4 nfsvers=4.1,port=20049,.*,soft,.*,noresvport,nofail,_netdev,x-systemd.requires=gistdeal-tunnel.service 0 0$' /etc/fstab || refuse "$@"
  # The file system greets those whose connection reaches it.
  for _ in {1..20}; do
    if { exec 7<>/dev/tcp/127.0.0.1/20049; } 2>/dev/null; then break; fi
    /bin/sleep 0.1
  done
  greeting=
  read -r -t 10 greeting <&7 || true
  [ "$greeting" = 'file system' ] || exit 32
  [ -e /srv/shared ] && grep -qx nfs-common "$told/packages" || exit 32
  exec /bin/mount --bind /srv/shared /mnt/gistdeal
  ;;

'aws ssm get-parameter --name '*' --with-decryption --query Parameter.Value --output text')
  [ "$AWS_DEFAULT_REGION" = us-east-1 ] || refuse "$@"
  left=$(cat /srv/refusals 2>/dev/null || echo 0)
  if [ "$left" -gt 0 ]; then
    echo $((left - 1)) >/srv/refusals
    exit 254
  fi
  cat "/srv/parameters$4"
  ;;
'aws secretsmanager get-secret-value --secret-id '*' --query SecretString --output text')
  [ "$AWS_DEFAULT_REGION" = us-east-1 ] || refuse "$@"
  cat "/srv/parameters/$4"
  ;;
'aws logs create-log-stream --log-group-name /gistdeal --log-stream-name startup-i-'*)
  [ ! -e "$told/stream" ] || exit 254
  touch "$told/stream"
  ;;
'aws logs put-log-events --log-group-name /gistdeal --log-stream-name startup-i-'*' --log-events file:///run/gistdeal-startup.json')
  [ -e "$told/stream" ] || refuse "$@"
  cp /run/gistdeal-startup.json "$told/startup.json"
  ;;

"docker pull --quiet registry.test/gistdeal@$digest") touch /run/standin/pulled ;;
'aws ecr get-login-password --region us-east-1') cat /srv/parameters/registry ;;
'docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com') cmp -s - /srv/parameters/registry && touch /run/standin/login ;;
"docker pull --quiet 123456789012.dkr.ecr.us-east-1.amazonaws.com/gistdeal@$digest")
  [ -e /run/standin/login ] || exit 1
  touch /run/standin/pulled
  ;;
'docker logout 123456789012.dkr.ecr.us-east-1.amazonaws.com') rm /run/standin/login ;;
'docker inspect --format {{.State.Status}} gistdeal')
  if running /run/standin/container; then echo running; else echo exited; fi
  ;;
'docker inspect --format {{.State.ExitCode}} gistdeal') cut -d ' ' -f 1 /run/standin/ended 2>/dev/null || echo 0 ;;
'docker image inspect --format {{.Id}} '*"/gistdeal@$digest") [ -e /run/standin/pulled ] && echo sha256:1234 ;;
'docker image inspect --format {{.RepoDigests}} '*"/gistdeal@$digest") [ -e /run/standin/pulled ] && echo "[${5%@*}@$(cat /srv/pulled 2>/dev/null || echo "$digest")]" ;;
'docker stop -t 60 gistdeal') docker_stop ;;
'docker rm --force --volumes gistdeal')
  pid=$(cat /run/standin/container 2>/dev/null || true)
  rm -f /run/standin/container /run/standin/ended /run/standin/stopped
  if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  ;;
'docker run --detach --name gistdeal --restart on-failure:10 --network host --user 65532:65532 --read-only --cap-drop ALL --security-opt no-new-privileges --memory 1g --pids-limit 256 --stop-timeout 60 --env-file /etc/gistdeal/env --volume /etc/gistdeal:/etc/gistdeal:ro --log-driver awslogs --log-opt awslogs-region=us-east-1 --log-opt awslogs-group=/gistdeal --log-opt awslogs-stream=i-'*' --log-opt mode=non-blocking --log-opt max-buffer-size=4m sha256:1234')
  [ ! -e /run/standin/container ] || refuse "$@"
  docker_run
  ;;

'systemctl mask --now certbot.timer') ln -sf /dev/null /etc/systemd/system/certbot.timer ;;
'systemctl daemon-reload') units ;;
'systemctl enable nginx.service' | 'systemctl enable gistdeal.service' | 'systemctl enable gistdeal-tunnel.service') unit "$2" && units && touch "/run/standin/enabled/$2" ;;
'systemctl enable --now gistdeal-password.timer' | 'systemctl enable --now gistdeal-certificate.timer')
  unit "$3" && units && touch "/run/standin/enabled/$3" "/run/standin/active/$3"
  ;;
'systemctl is-active --quiet nginx.service') running /run/nginx.pid ;;
'systemctl is-active --quiet gistdeal-tunnel.service') running /run/standin/tunnel ;;
'systemctl restart gistdeal-tunnel.service')
  if running /run/standin/tunnel; then kill "$(</run/standin/tunnel)"; fi
  command=$(sed -n 's/^ExecStart=//p' /run/standin/units/gistdeal-tunnel.service)
  setsid setpriv --reuid 65533 --regid 65533 --clear-groups bash -c "echo \$\$; exec $command" </dev/null 2>>"$told/tunnel.log" >/run/standin/tunnel &
  ;;
'systemctl is-active --quiet gistdeal.service') [ -e /run/standin/active/gistdeal.service ] ;;
'systemctl reload nginx.service') running /run/nginx.pid && nginx -s reload ;;
'systemctl reload-or-restart nginx.service') if running /run/nginx.pid; then nginx -s reload; else nginx; fi ;;
'systemctl restart gistdeal.service')
  if [ -e /run/standin/active/gistdeal.service ]; then each ExecStop gistdeal.service; fi
  each ExecStartPre gistdeal.service
  each ExecStart gistdeal.service
  touch /run/standin/active/gistdeal.service
  ;;

*) refuse "$@" ;;
esac
