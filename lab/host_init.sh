#!/bin/bash
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
#
# host_init.sh DIRECTORY NAME: become pid 1 of a simulated host, in namespaces that are ours alone.
# DIRECTORY/{upper,work} are the host's disk over the machine's root; DIRECTORY/binds lists what
# else is visible inside, one "SOURCE TARGET ro|rw" a line.
set -eu
directory=$1 name=$2 root=$1/root

# shellcheck source=lab/root.sh
. "$(dirname "$0")/root.sh"

hostname "$name"
mount -t overlay overlay \
    -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys" # a fresh one: it shows this host's network only
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"

mount_fresh
device fuse 10 229
device net/tun 10 200
if [ -e /dev/kvm ]; then device kvm 10 232; fi
for place in root home; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
mount_binds "$directory/binds"
enter_root
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd systemd.unit=lab.target systemd.unified_cgroup_hierarchy=1
