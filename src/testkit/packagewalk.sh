#!/bin/sh
# Installs, replaces, removes and purges a package in a second view of this system, whose changes
# are kept in memory and forgotten. Called with the package, by root, in a mount namespace.
set -eu

place=$(mktemp -d)
mount -t tmpfs none "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
mount --rbind /proc "$place/root/proc"
mount --bind /dev "$place/root/dev"
# Whatever runs here is nothing that the package may reach: no systemd, no folder of ours.
mount -t tmpfs none "$place/root/run"
mount -t tmpfs none "$place/root/tmp"
cp "$1" "$place/root/tmp/llmlb.deb"

chroot "$place/root" /bin/sh -eu <<'IN'
exec 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
# Manual pages of the whole system are of no matter.
package() { dpkg --no-triggers "$@"; }
package --install /tmp/llmlb.deb
echo "Runs as: $(id llmlb)"
echo "Says: $(/usr/bin/llmlb --version)"
echo "Settings: $(stat -L -c '%a %U:%G' /var/lib/llmlb/config.json)"
echo "Enabled: $(systemctl is-enabled llmlb || true)"
echo "Verified: $(systemd-analyze verify llmlb.service | grep llmlb || true)"
echo "Exposed: $(systemd-analyze security --offline=yes llmlb.service | tail -1 || true)"
echo "Altered: $(dpkg --verify llmlb)"

echo '{"port": 4321}' > /etc/llmlb/config.json
touch /var/lib/llmlb/state
package --remove llmlb
[ ! -e /usr/bin/llmlb ]
package --install /tmp/llmlb.deb
grep -q 4321 /var/lib/llmlb/config.json && [ -e /var/lib/llmlb/state ] && echo "By hand: kept"
package --purge llmlb
! grep llmlb /etc/passwd /etc/group /var/lib/dpkg/status
IN

# What the package has changed: whiteouts are devices, and dpkg and adduser keep copies.
cd "$place/upper"
echo "Traces: $(find . ! -type d ! -type c | grep -vE \
  '^\./var/(lib/dpkg|cache|log)/|^\./etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^./etc/.pwd.lock$' || true)"
echo "Folders: $(find . -type d -name '*llmlb*')"
