#!/bin/bash
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# pod_init.sh TREE DIRECTORY NAME COMMAND...: become pid 1 of a container, in namespaces of its own.
# TREE is the bare root that every container starts from; DIRECTORY/upper is what its image and its
# own life put over it, DIRECTORY/usr the same for /usr, whose base is the machine's. Nothing else
# of the machine is visible but what DIRECTORY/binds lists, one "SOURCE TARGET ro|rw" a line.
set -eu
tree=$1 directory=$2 name=$3 root=$2/root
shift 3

device() { # NAME MAJOR MINOR
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
}

hostname "$name"
mount -t overlay overlay \
    -o "lowerdir=$tree,upperdir=$directory/upper,workdir=$directory/work" "$root"
mount -t overlay overlay \
    -o "lowerdir=/usr,upperdir=$directory/usr,workdir=$directory/usr-work" "$root/usr"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
device null 1 3
device zero 1 5
device full 1 7
device random 1 8
device urandom 1 9
device tty 5 0
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0 1 2; do
    stream=(stdin stdout stderr)
    ln -s "/proc/self/fd/$number" "$root/dev/${stream[number]}"
done

mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while read -r source target mode; do
    if [ -d "$source" ]; then
        mkdir -p "$root$target"
    else
        mkdir -p "$(dirname "$root$target")"
        touch "$root$target"
    fi
    mount --bind "$source" "$root$target"
    if [ "$mode" = ro ]; then mount -o remount,ro,bind "$root$target"; fi
done <"$directory/binds"

mkdir "$root/run/.machine"
cd "$root"
pivot_root . run/.machine
umount -l /run/.machine
rmdir /run/.machine
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 PEBBLE_SOCKET=/charm/container/pebble.socket "$@"
