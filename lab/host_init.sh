#!/bin/bash
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# host_init.sh DIRECTORY NAME: become pid 1 of a simulated host, in namespaces that are ours alone.
# DIRECTORY/{upper,work} are the host's disk over the machine's root; DIRECTORY/binds lists what
# else is visible inside, one "SOURCE TARGET ro|rw" a line.
set -eu
directory=$1 name=$2 root=$1/root

device() { # NAME MAJOR MINOR
    mkdir -p "$(dirname "$root/dev/$1")"
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
}

hostname "$name"
mount -t overlay overlay \
    -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys" # a fresh one: it shows this host's network only
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
device null 1 3
device zero 1 5
device full 1 7
device random 1 8
device urandom 1 9
device tty 5 0
device fuse 10 229
device net/tun 10 200
if [ -e /dev/kvm ]; then device kvm 10 232; fi
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for place in root home; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
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
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd systemd.unit=lab.target systemd.unified_cgroup_hierarchy=1
