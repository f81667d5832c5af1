#!/usr/bin/env bash
# bare_test.sh ROOT [MAKE ARGUMENTS]: what a newcomer meets. Makes a Debian 12 in ROOT with git and
# make and nothing more, clones this checkout's last commit into it, and runs make there (default:
# make test, then make demo). Needs root, debootstrap, a network, and 12 GB.
#   sudo tools/bare_test.sh /tmp/bare test QUICK=1
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
root=$1
shift
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

[ -e "$root/etc/debian_version" ] ||
  debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" "$mirror"
cp /etc/resolv.conf "$root/etc/resolv.conf"
rm -rf "$root/podium"
git clone --quiet --no-hardlinks . "$root/podium"

inside() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
if [ $# -gt 0 ]; then
  time inside make -C /podium "$@"
else
  time inside make -C /podium test
  time inside make -C /podium demo
fi
