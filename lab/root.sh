# shellcheck shell=bash
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# What a simulated host's and a container's pid 1 do alike to the root file system at $root before
# they live in it. Sourced by both, after $root was set and its overlay mounted.

device() { # NAME MAJOR MINOR
    mkdir -p "$(dirname "$root/dev/$1")"
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
}

mount_fresh() { # a /dev, /run and /tmp of its own, with the devices that every program expects
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
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
}

mount_binds() { # FILE with one "SOURCE TARGET ro|rw" a line
    while read -r source target mode; do
        if [ -d "$source" ]; then
            mkdir -p "$root$target"
        else
            mkdir -p "$(dirname "$root$target")"
            touch "$root$target"
        fi
        mount --bind "$source" "$root$target"
        if [ "$mode" = ro ]; then mount -o remount,ro,bind "$root$target"; fi
    done <"$1"
}

enter_root() { # from here on $root is /, and the machine's root is gone
    mkdir "$root/run/.machine"
    cd "$root"
    pivot_root . run/.machine
    umount -l /run/.machine
    rmdir /run/.machine
}
