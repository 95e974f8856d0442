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

# shellcheck source=lab/root.sh
. "$(dirname "$0")/root.sh"

hostname "$name"
mount -t overlay overlay \
    -o "lowerdir=$tree,upperdir=$directory/upper,workdir=$directory/work" "$root"
mount -t overlay overlay \
    -o "lowerdir=/usr,upperdir=$directory/usr,workdir=$directory/usr-work" "$root/usr"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"

mount_fresh
for number in 0 1 2; do
    stream=(stdin stdout stderr)
    ln -s "/proc/self/fd/$number" "$root/dev/${stream[number]}"
done
mount_binds "$directory/binds"
enter_root
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 PEBBLE_SOCKET=/charm/container/pebble.socket "$@"
