# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What servers are made of: the images in Glance and the flavor in Nova."""

from openstack.connection import Connection

from .. import guest
from .identity import cloud
from .places import Profile

IMAGE = "database"
FLAVOR = "lab.tiny"
_MEMORY_MIB = 96
_DISK_BYTES = 16 << 20


def ensure_images(profile: Profile) -> None:
    """Put the image that servers boot from into Glance.

    In the light profile nothing ever runs, so an empty disk does. In the full one the disk is as
    empty, and a kernel with its initramfs stands beside it: ``lab.guest`` says what it does.
    """
    files = guest.build() if profile == "full" else None
    with cloud() as connection:
        if connection.image.find_image(IMAGE):
            return
        properties = _boot_properties(connection, files) if files else {}
        connection.image.create_image(
            name=IMAGE,
            data=bytes(_DISK_BYTES),
            disk_format="raw",
            container_format="bare",
            wait=True,
            meta=properties,
        )


def _boot_properties(connection: Connection, files: guest.Files) -> dict[str, str]:
    kernel = connection.image.create_image(
        name=f"{IMAGE}-kernel",
        data=files.kernel.read_bytes(),
        disk_format="aki",
        container_format="aki",
        wait=True,
    )
    initramfs = connection.image.create_image(
        name=f"{IMAGE}-initramfs",
        data=files.initramfs.read_bytes(),
        disk_format="ari",
        container_format="ari",
        wait=True,
    )
    return {
        "kernel_id": kernel.id,
        "ramdisk_id": initramfs.id,
        "hw_machine_type": "pc",
        "hw_video_model": "none",
        "hw_rng_model": "virtio",
        "os_command_line": guest.COMMAND_LINE,
    }


def ensure_flavor() -> None:
    """Make the one size of the lab's servers."""
    with cloud() as connection:
        if connection.compute.find_flavor(FLAVOR) is None:
            connection.compute.create_flavor(name=FLAVOR, ram=_MEMORY_MIB, vcpus=1, disk=1)
