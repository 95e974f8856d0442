# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where the cloud's daemons listen, what they keep, and the lab's one password."""

import pathlib
import shutil
import typing
from typing import Literal

from ..errors import LabError
from ..network import MANAGEMENT
from ..paths import STATE

Profile = Literal["light", "full"]
"""``light``: Nova's fake driver, no guests. ``full``: libvirt and QEMU guests on a Ceph pool."""

CONTROL = STATE / "control"
"""Everything that the control plane writes."""

ETC = CONTROL / "etc"
IMAGES = CONTROL / "images"

ADDRESS = MANAGEMENT.router
REGION = "RegionOne"
ADMIN = "admin"
PASSWORD = "secret"
"""Of every account that the lab itself makes: nothing outside can reach the lab."""

SERVICE_PROJECT = "service"

DATABASE_PORT = 3306
MESSAGING_PORT = 5672
MESSAGING_API_PORT = 15672
KEYSTONE_PORT = 5000
PLACEMENT_PORT = 8778
GLANCE_PORT = 9292
NOVA_PORT = 8774
NEUTRON_PORT = 9696

AUTH_URL = f"http://{ADDRESS}:{KEYSTONE_PORT}/v3"
MESSAGING_USER = "lab"
TRANSPORT_URL = f"rabbit://{MESSAGING_USER}:{PASSWORD}@{ADDRESS}:{MESSAGING_PORT}/"

PROFILE_FILE = CONTROL / "profile"


def remember_profile(profile: Profile) -> None:
    """Keep *profile* for the commands that come after ``up``.

    Raises:
        LabError: if the cloud was brought up with the other profile.
    """
    CONTROL.mkdir(parents=True, exist_ok=True)
    if PROFILE_FILE.exists() and current_profile() != profile:
        raise LabError(
            f"the lab is up as {current_profile()}, not {profile}; run `python -m lab down` first"
        )
    PROFILE_FILE.write_text(profile)


def current_profile() -> Profile:
    """Return the profile that the cloud was brought up with.

    Raises:
        LabError: if it is not up.
    """
    names: tuple[Profile, ...] = typing.get_args(Profile)
    said = PROFILE_FILE.read_text() if PROFILE_FILE.exists() else ""
    for profile in names:
        if profile == said:
            return profile
    raise LabError("the lab has no cloud; run `python -m lab up`")


def prepare(directory: pathlib.Path, *, owner: str = "root") -> pathlib.Path:
    """Return *directory*, made if it is missing, as a directory of *owner*'s."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.chown(directory, user=owner, group=owner)
    return directory
