#!/bin/sh
# Installs Skiff from this archive below /usr/local, as a service where systemd is: sudo ./install.sh
# sudo ./install.sh --remove takes it away again, but for what the boat has stored in /var/lib/skiff.
set -eu
cd "$(dirname "$0")"

if [ "$(id -u)" != 0 ]; then
  echo "only root can install: sudo ./install.sh" >&2
  exit 1
fi
has_systemd() { [ -d /run/systemd/system ]; }

if [ "${1:-}" = "--remove" ]; then
  if has_systemd; then systemctl disable --now skiff.service || true; fi
  rm -f /usr/local/bin/skiff /etc/systemd/system/skiff.service '/etc/systemd/system/skiff-can@.service' \
    /usr/local/share/man/man1/skiff.1.gz /usr/local/share/man/man1/skiff-*.1.gz \
    /usr/local/share/bash-completion/completions/skiff /usr/local/share/zsh/site-functions/_skiff \
    /usr/local/share/fish/vendor_completions.d/skiff.fish
  if has_systemd; then systemctl daemon-reload; fi
  echo "removed; /var/lib/skiff and /etc/default/skiff are still there"
  exit 0
fi

if [ -e /usr/bin/skiff ]; then
  echo "the Debian package is installed; remove it first: sudo apt remove skiff" >&2
  exit 1
fi
# Beside, then renamed: one that runs can be replaced.
install -D -m 755 skiff /usr/local/bin/skiff.new
mv /usr/local/bin/skiff.new /usr/local/bin/skiff
mkdir -p /usr/local/share/man/man1
install -m 644 man/*.gz /usr/local/share/man/man1/
install -D -m 644 completions/skiff.bash /usr/local/share/bash-completion/completions/skiff
install -D -m 644 completions/_skiff /usr/local/share/zsh/site-functions/_skiff
install -D -m 644 completions/skiff.fish /usr/local/share/fish/vendor_completions.d/skiff.fish

if ! command -v useradd >/dev/null; then
  echo "skiff is installed, without a service: this system has no useradd"
  exit 0
fi
getent group skiff >/dev/null || groupadd --system skiff
getent group dialout >/dev/null || groupadd --system dialout
getent passwd skiff >/dev/null || useradd --system --gid skiff --home-dir /var/lib/skiff --no-create-home \
  --shell /usr/sbin/nologin skiff
[ -d /var/lib/skiff ] || install -d -o skiff -g skiff -m 0750 /var/lib/skiff
[ -e /etc/default/skiff ] || install -D -m 644 skiff.default /etc/default/skiff
mkdir -p /etc/systemd/system
sed 's|/usr/bin/skiff|/usr/local/bin/skiff|' skiff.service >/etc/systemd/system/skiff.service
install -m 644 skiff-can@.service /etc/systemd/system/
if has_systemd; then
  systemctl daemon-reload
  systemctl enable skiff.service
  systemctl restart skiff.service || echo "skiff does not start: journalctl -u skiff tells why"
  echo "Skiff listens on port 3000 of this machine; to sign in from a browser: sudo skiff user link"
else
  echo "skiff is installed; no systemd runs here, so nothing was started"
fi
