#!/bin/sh
# Installs Skiff from this archive under Venus OS, as root: venus/install.sh. With a newer archive it updates.
# venus/install.sh --remove takes it away again, but for what the boat has stored in /data/skiff/boat.
set -eu
cd "$(dirname "$0")/.."
# /data outlives updates of the firmware, /service does not: rc.local links it at each boot.
readonly home=/data/skiff service=/service/skiff boot=/data/rc.local
readonly link="ln -sfn $home/service $service"

if [ "$(id -u)" != 0 ]; then
  echo "only root can install" >&2
  exit 1
fi
if [ ! -d /data ] || [ ! -d /service ]; then
  echo "this is no Venus OS: it has no /data or no /service" >&2
  exit 1
fi

# What is no longer linked is not supervised again, once the supervisors of program and log have ended.
stop() {
  [ -L "$service" ] || return 0
  rm -f "$service"
  svc -dx "$home/service" "$home/service/log"
  seconds=0
  while svok "$home/service" || svok "$home/service/log"; do
    if [ $seconds -ge 30 ]; then
      echo "Skiff does not end: svstat $home/service" >&2
      exit 1
    fi
    sleep 1
    seconds=$((seconds + 1))
  done
}

if [ "${1:-}" = "--remove" ]; then
  stop
  if [ -f "$boot" ]; then
    grep -vxF "$link" "$boot" >"$boot.new" || true
    cat "$boot.new" >"$boot"
    rm "$boot.new"
  fi
  rm -rf "$home/service" "$home/skiff" "$home/NOTICE" "$home/LICENSE-MIT" "$home/LICENSE-APACHE"
  echo "removed; $home/boat and $home/options are still there"
  exit 0
fi

if ! ./skiff --version >/dev/null 2>&1; then
  echo "the archive is for another processor: uname -m says $(uname -m); armv7l needs armhf, aarch64 needs arm64" >&2
  exit 1
fi
mkdir -p "$home/service/log" "$home/boat"
# Beside, then renamed: one that runs can be replaced.
put() {
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  mv "$2.new" "$2"
}
put skiff "$home/skiff" 755
put venus/run "$home/service/run" 755
put venus/log-run "$home/service/log/run" 755
for file in NOTICE LICENSE-MIT LICENSE-APACHE; do put "$file" "$home/$file" 644; done
# What was chosen here stays.
[ -e "$home/options" ] || put venus/options "$home/options" 644
[ -e "$boot" ] || echo '#!/bin/sh' >"$boot"
grep -qxF "$link" "$boot" || echo "$link" >>"$boot"
chmod 755 "$boot"
if [ -L "$service" ]; then
  # It runs already: the new program.
  svc -t "$service"
else
  $link
fi
echo "Skiff runs with the options of $home/options; to sign in from a browser: $home/skiff user link --config $home/boat"
