#!/bin/bash
# Installs a package in a fresh Debian and uses it as its owner would: try.sh deb|archive ROOT PACKAGE, as root, in a network of
# its own. Each check prints a line; the first that fails ends it.
set -uo pipefail
readonly kind=$1 root=$2 package=$3
readonly home=/var/lib/skiff
readonly url=http://127.0.0.1:3000
readonly value=$url/signalk/v1/api/vessels/self/environment/wind/angleApparent/value
service=

end() {
  [ -z "$service" ] || kill "$service" 2>/dev/null
  umount "$root/proc" 2>/dev/null
  # Who was there may still be on its way out.
  umount --lazy "$root/service" 2>/dev/null
}
trap end EXIT

ok() { printf 'ok %s\n' "$1"; }
fail() {
  cat "$root/tmp/service.log" "$root/var/log/skiff/current" >&2 2>/dev/null
  # Last, where who started this looks.
  printf 'FAILED %s\n' "$*" >&2
  exit 1
}
# The check, and what must succeed.
check() {
  local what=$1
  shift
  "$@" >"$root/tmp/output" 2>&1 || fail "$what: $(tail -n 5 "$root/tmp/output")"
  ok "$what"
}
inside() { chroot "$root" "$@"; }
# As a person with a home of their own, of one more group.
person() { chroot --userspec="$1" --groups="$2" "$root" env HOME="/home/$1" "$skiff" "${@:3}"; }
is_mode() { [ "$(inside stat -c '%U:%G %a' "$1")" = "$2" ]; }
add_user() { echo "a long password" | inside "$skiff" user add skipper --role readonly; }

ip link set lo up
mount -t proc proc "$root/proc" || fail "/proc"
cp "$package" "$root/tmp/"
readonly file=/tmp/$(basename "$package")
began=$SECONDS

case $kind in
  deb)
    check "the package installs" inside dpkg -i "$file"
    skiff=/usr/bin/skiff unit=/usr/lib/systemd/system/skiff.service
    check "dpkg finds every file as it was packed" inside dpkg --verify skiff
    check "the unit is enabled" inside test -L /etc/systemd/system/multi-user.target.wants/skiff.service
    check "the manual has pages" test -s "$root/usr/share/man/man1/skiff-run.1.gz"
    check "bash completes" test -s "$root/usr/share/bash-completion/completions/skiff"
    check "the notice is there" test -s "$root/usr/share/doc/skiff/NOTICE.gz"
    ;;
  archive)
    check "the archive unpacks" inside tar -xf "$file" -C /srv
    folder=/srv/$(basename "$package" .tar.gz)
    # Before anything else is there: one file and nothing around it is enough, as in an image FROM scratch.
    mkdir -p "$root/alone/data" && cp "$root$folder/skiff" "$root/alone/skiff"
    chroot --userspec=65532:65532 "$root/alone" /skiff run --sample --listen 127.0.0.1:3002 >/dev/null 2>"$root/tmp/service.log" &
    service=$!
    check "alone in its root it serves" curl -sSf --retry 50 --retry-delay 1 --retry-all-errors -o /dev/null \
      http://127.0.0.1:3002/signalk/v1/api/vessels/self/environment/wind/speedTrue
    kill "$service" && wait "$service" 2>/dev/null
    check "alone in its root it ends in order" test $? = 0
    service=
    check "the archive's script installs it" inside "$folder/install.sh"
    skiff=/usr/local/bin/skiff unit=/etc/systemd/system/skiff.service
    check "the notice is there" test -s "$root$folder/NOTICE"
    check "the manual has pages" test -s "$root/usr/local/share/man/man1/skiff-run.1.gz"
    ;;
esac
check "the unit names the program" grep -q "^ExecStart=$skiff run " "$root$unit"
check "it says its version" inside "$skiff" --version
check "help of a verb" inside "$skiff" help plugin install
check "the user is there" inside getent passwd skiff
check "the folder is closed to others" is_mode $home "skiff:skiff 750"
check "root adds a user before the first start" add_user

# As the unit starts it: its command with the options of /etc/default/skiff, its user and groups.
sed -i 's|^SKIFF_OPTIONS="\(.*\)"|SKIFF_OPTIONS="\1 --input /srv/sample.candump"|' "$root/etc/default/skiff"
command=$(sed -n 's/^ExecStart=//p' "$root$unit")
# shellcheck disable=SC1091
. "$root/etc/default/skiff"
command=${command//\$SKIFF_OPTIONS/$SKIFF_OPTIONS}
# shellcheck disable=SC2086 # words are words
(umask 0027 && NOTIFY_SOCKET=/run/skiff-notify WATCHDOG_USEC=30000000 exec chroot --userspec=skiff:skiff --groups=dialout "$root" \
  $command >/dev/null 2>"$root/tmp/service.log") &
service=$!
check "the page answers" curl -sSf --retry 50 --retry-delay 1 --retry-all-errors -o /dev/null $url/signalk
# What the unit does when it is ready.
sed -n 's/^ExecStartPost=-//p' "$root$unit" >"$root/tmp/post"
while read -r line; do
  # shellcheck disable=SC2086
  chroot --userspec=skiff:skiff "$root" $line || fail "$line"
done <"$root/tmp/post"
token=$(cat "$root$home/skiff/token")
check "a value comes over REST" curl -sSf --retry 20 --retry-delay 1 --retry-all-errors -H "Authorization: Bearer $token" $value
echo "first value after $((SECONDS - began)) s: $(tail -n 1 "$root/tmp/output")"
check "guests get nothing on another address" test "$(curl -s -o /dev/null -w '%{http_code}' -H 'X-Forwarded-For: 192.0.2.1' $value)" = 401
check "the page for browsers is there" sh -c "curl -s -H 'Accept: text/html' $url/ | grep -qi '<html'"

check "root finds the service's folder" inside "$skiff" plugin list
inside useradd --create-home crew && inside useradd --create-home other || fail "useradd"
check "the group finds it, too" person crew skiff plugin list
check "and who may sign in" person crew skiff user list
cp "$root/tmp/output" "$root/tmp/said"
check "the user is known to the service" grep -q skipper "$root/tmp/said"
for verb in plugin user; do
  person other other $verb list >/dev/null 2>"$root/tmp/said"
  check "others are told what to do about $verb" test $? = 5
  check "others read which group, and whose folder" grep -q "$home.*sudo adduser" "$root/tmp/said"
done
check "others cannot read the token" sh -c "! chroot --userspec=other '$root' cat $home/skiff/token"

kill "$service" && wait "$service" 2>/dev/null
check "it ends in order" test $? = 0
service=
check "root makes a token while nothing runs" inside "$skiff" token add node-red
check "what root made is the service's" sh -c "! chroot '$root' find $home ! -user skiff | grep ."

# As under Venus OS, with daemontools and busybox as it has them; its kernel, its D-Bus and its ports are not here.
venus_sh() { chroot "$root" env -i PATH=/bb:/usr/sbin:/usr/bin:/sbin:/bin busybox sh "$@"; }
is_up() { inside svstat /service/skiff | grep -q ': up (pid'; }
pid() { inside svstat /service/skiff | sed 's/.*(pid \([0-9]*\)).*/\1/'; }
is_other() { is_up && [ "$(pid)" != "$1" ]; }
serves() { curl -sSf --retry 50 --retry-delay 1 --retry-all-errors -o /dev/null http://127.0.0.1:3100/signalk; }
soon() {
  local until=$((SECONDS + 60))
  until "$@"; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.5
  done
}
has_said() { grep -q listens "$root/var/log/skiff/current"; }
venus() {
  local before
  mkdir "$root/bb" && inside busybox --install -s /bb || fail "busybox"
  # Its svc and svok speak to another supervisor, runit's.
  rm -f "$root"/bb/sv*
  venus_sh "$folder/venus/install.sh" >/dev/null 2>"$root/tmp/said"
  check "elsewhere Venus OS is missed" test $? = 1
  check "and that is said" grep -q 'no Venus OS' "$root/tmp/said"
  # In memory as there; and an emulated svscan of 32 bits cannot read a folder of a disk whose offsets have 64.
  mkdir "$root/data" "$root/service" && mount -t tmpfs tmpfs "$root/service" || fail "/service"
  check "Venus OS: the script installs it" venus_sh "$folder/venus/install.sh"
  check "it is linked" inside test -x /service/skiff/run
  sed -i 's|--can vecan0|--input /srv/sample.candump|; s|0.0.0.0|127.0.0.1|' "$root/data/skiff/options"
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin svscan /service >/dev/null 2>&1 &
  service=$!
  check "supervised it serves" serves
  check "it is up" is_up
  check "its log is kept" soon has_said
  before=$(pid)
  kill -KILL "$before"
  check "killed it comes back" soon is_other "$before"
  check "and serves" serves
  before=$(pid)
  check "a newer archive updates it" venus_sh "$folder/venus/install.sh"
  check "the new one runs" soon is_other "$before"
  check "with the options that were chosen" grep -q sample.candump "$root/data/skiff/options"
  check "and serves" serves
  rm "$root/service/skiff"
  check "after an update of the firmware rc.local links it again" venus_sh /data/rc.local
  check "one line of rc.local is its" test "$(grep -c skiff "$root/data/rc.local")" = 1
  before=$(pid)
  check "Venus OS: it goes" venus_sh "$folder/venus/install.sh" --remove
  check "nothing runs" test ! -e "/proc/$before"
  check "nothing listens" sh -c "! curl -s http://127.0.0.1:3100/signalk"
  check "what the boat stored stays" test -s "$root/data/skiff/boat/skiff/token"
  check "rc.local is as before" sh -c "! grep skiff '$root/data/rc.local'"
  kill "$service"
  service=
}

case $kind in
  deb)
    check "the package goes" inside dpkg --remove skiff
    check "its data stays" test -s "$root$home/skiff/token"
    check "all of it goes" inside dpkg --purge skiff
    check "and its data" test ! -e "$root$home"
    ;;
  archive)
    venus
    check "it goes" inside "$folder/install.sh" --remove
    check "its data stays" test -s "$root$home/skiff/token"
    check "its program does not" test ! -e "$root$skiff"
    ;;
esac
