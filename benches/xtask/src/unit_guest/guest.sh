#!/bin/bash
# Runs in the guest when its systemd has brought everything up: the package is installed and its units do what README.md of
# hal-linux/dist says. Each check is one line, "ok NAME" or "FAILED NAME"; the last line is "done".
export HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive
cd /root || exit 1
readonly home=/var/lib/skiff url=http://127.0.0.1:3000 own=/signalk/v1/api/vessels/self
failed=

# check NAME SECONDS COMMAND...: waits until the command succeeds.
check() {
  local name=$1 until=$((SECONDS + $2))
  shift 2
  until "$@" >/tmp/output 2>&1; do
    if [ $SECONDS -ge $until ]; then
      echo "FAILED $name: $(tail -n 3 /tmp/output | tr '\n' ' ')"
      failed=1
      return 1
    fi
    sleep 0.3
  done
  echo "ok $name"
}
property() { systemctl show --property="$1" --value skiff; }
is() { [ "$(property "$1")" = "$2" ]; }
token() { cat $home/skiff/token; }
api() { curl -sS --fail --max-time 10 -H "Authorization: Bearer $(token)" "$url$1"; }
api_has() { api "$1" | grep -q "$2"; }
code() { [ "$(curl -s --max-time 10 -o /dev/null -w '%{http_code}' "$1")" = "$2" ]; }
options() { sed -i "s|^SKIFF_OPTIONS=.*|SKIFF_OPTIONS=\"--listen 0.0.0.0:3000 $1\"|" /etc/default/skiff; }
settings() { echo "{\"skiff\": $1}" >$home/settings.json && chown skiff:skiff $home/settings.json; }
log_has() { journalctl --unit skiff --output cat | grep -q "$1"; }
# Restarts of systemd's own; those of `systemctl restart` do not count.
restarted() { [ "$(property NRestarts)" -gt "$1" ] && is ActiveState active; }
is_mode() { [ "$(stat -c '%U:%G %a' "$1")" = "$2" ]; }
as() { setpriv --reuid "$1" --regid "$1" --init-groups env HOME="/home/$1" "${@:2}"; }
# sentence TEXT: an NMEA 0183 sentence on the far end of the cable.
sentence() {
  local sum=0 at
  for ((at = 0; at < ${#1}; at++)); do sum=$((sum ^ $(printf '%d' "'${1:at:1}"))); done
  printf '$%s*%02X\r\n' "$1" $sum >/dev/ttyS2
}
depth_comes() { sentence SDDPT,3.7,0.0 && api_has $own/environment/depth/belowTransducer/value '^3.7'; }
heading_comes() { cansend "$1" 09F11223#FF103BFF7FFF7FFC && api_has $own/navigation/headingTrue '"value":1.512'; }
bit_rate() { ip -details link show "$1" | grep -q 'bitrate 250000' && ip link show "$1" | grep -q '[<,]UP[,>]'; }

trap 'echo done; sync; systemctl poweroff --force --force' EXIT
systemctl --version | head -n 1
ip link set lo up
# Another address of this machine: who asks it there does not come from loopback.
ip address add 192.0.2.1/32 dev lo

# Installed: active when it has told that it is ready.
check "the package installs" 1 dpkg -i /srv/skiff.deb || exit
check "it is active" 1 is ActiveState active || { journalctl --unit skiff | tail -n 20; exit; }
check "since it told that it is ready" 1 is Type notify
check "and says on what it listens" 1 sh -c "systemctl status skiff | grep -i 'status:.*3000'"
check "it is enabled" 1 systemctl --quiet is-enabled skiff
check "it runs as its own user" 1 test "$(stat -c %U "/proc/$(property MainPID)")" = skiff
check "without capabilities" 1 grep -q '^CapEff:.0*$' "/proc/$(property MainPID)/status"
check "with new privileges refused" 1 grep -q 'NoNewPrivs:.1' "/proc/$(property MainPID)/status"
check "its folder is its own" 1 is_mode $home "skiff:skiff 750"

# Who gets what.
check "the page answers" 5 code $url/signalk 200
check "it listens on all addresses" 5 code http://192.0.2.1:3000/signalk 200
check "where guests get nothing" 1 code http://192.0.2.1:3000$own/uuid 401
check "the admin's door is closed there" 1 sh -c '! curl -s --max-time 5 http://192.0.2.1:3001/'
check "root finds the service's folder" 1 skiff plugin list
useradd --create-home crew && useradd --create-home other && usermod --append --groups skiff crew
check "the group skiff finds it" 1 as crew skiff plugin list
check "others do not" 1 sh -c "! setpriv --reuid other --regid other --init-groups env HOME=/home/other skiff plugin list"
check "nor the token" 1 sh -c "! setpriv --reuid other --regid other --init-groups cat $home/skiff/token"
check "a link to sign in with" 1 sh -c "skiff user link 2>&1 | grep -q http"

# A serial port, of the group dialout.
check "the port is the group's" 1 is_mode /dev/ttyS1 "root:dialout 660"
stty -F /dev/ttyS2 raw -echo 38400
settings '{"inputs": ["serial:///dev/ttyS1?baud=38400"]}'
check "it restarts with a serial input of its settings" 1 systemctl restart skiff
check "a sentence of the port is a value" 15 depth_comes

# CAN: interfaces that come later.
modprobe vcan
options "--can vcan0 --can can0"
check "it starts without its interfaces" 1 systemctl restart skiff
check "and waits for them" 5 api_has /skiff/v1/status '"label":"vcan0","state":"waiting"'
ip link add vcan0 type vcan && ip link set vcan0 up
check "one that comes late is heard" 20 heading_comes vcan0
check "a unit of an interface that is not there is enabled" 1 systemctl enable skiff-can@can0
modprobe kvaser_pci
check "the adapter is plugged in: its unit runs" 30 systemctl --quiet is-active skiff-can@can0
check "at the bit rate of NMEA 2000" 2 bit_rate can0
check "and Skiff hears it" 20 api_has /skiff/v1/status '"label":"can0","state":"open"'
rmmod kvaser_pci
check "unplugged: its unit ends" 20 sh -c '! systemctl --quiet is-active skiff-can@can0'
check "and Skiff waits for it" 10 api_has /skiff/v1/status '"label":"can0","state":"waiting"'
modprobe kvaser_pci
check "plugged in again" 30 bit_rate can0

# Stopped: what is written once a minute is written now.
settings '{"history": {"paths": ["navigation.*"]}}'
systemctl restart skiff
check "a value to keep" 20 heading_comes vcan0
identity=$(api $own/uuid)
check "it stops" 1 systemctl stop skiff
check "in order" 1 is Result success
check "what it had to keep is kept" 1 sh -c "grep -rlaq headingTrue $home/skiff/history"
check "it starts again" 1 systemctl start skiff
check "as the same vessel" 1 test "$(api $own/uuid)" = "$identity"

# Silent, killed, wrong. Times that nobody wants to wait for are shorter here.
mkdir -p /etc/systemd/system/skiff.service.d
printf '[Service]\nWatchdogSec=8\nTimeoutAbortSec=3\nRestartSec=1\n' >/etc/systemd/system/skiff.service.d/short.conf
systemctl daemon-reload && systemctl restart skiff
sleep 12
check "it gives signs of life" 1 test "$(property NRestarts)" = 0
kill -STOP "$(property MainPID)"
check "silent, it is killed and started again" 60 restarted 0
check "by the watchdog" 1 log_has 'Watchdog timeout'
check "it serves again" 10 code $url/signalk 200
kill -KILL "$(property MainPID)"
check "killed, it is started again" 30 restarted 1
options "--no-such-option"
systemctl restart skiff
check "with a wrong option it fails" 10 is ActiveState failed
check "once" 1 test "$(property NRestarts)" = 0
check "and says which" 1 log_has 'no-such-option'
options ""
check "mended, it starts" 1 systemctl restart skiff

echo "exposure: $(systemd-analyze security skiff --no-pager 2>/dev/null | tail -n 1)"
[ -z "$failed" ] || journalctl --unit skiff --unit skiff-can@can0 --output short-monotonic --no-pager | tail -n 60

# Removed.
check "the package goes" 1 dpkg --remove skiff
check "nothing runs" 1 sh -c '! grep -qx skiff /proc/[0-9]*/comm'
check "its data stays" 1 test -s $home/skiff/token
check "all of it goes" 1 dpkg --purge skiff
check "and its data" 1 test ! -e $home
