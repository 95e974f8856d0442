# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The next thing a unit should do, and what its agent saw around it."""

import dataclasses
import enum
from collections.abc import Callable, Mapping

from .model import Task


class Errand(enum.Enum):
    """What the agent does to a unit's surroundings beside running a hook."""

    UNPACK = enum.auto()
    """Lay out the application's current charm."""
    STOP_WORKLOADS = enum.auto()
    """End the pod's containers, as Kubernetes does before the charm may say ``stop``."""
    RENEW = enum.auto()
    """Replace the pod by a fresh one with the application's current charm."""
    TEAR_DOWN = enum.auto()
    """Remove all that belonged to the unit."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Notice:
    """A notice of a container's Pebble that no hook was run for yet."""

    key: str
    """Container and id."""
    stamp: str
    hook: str
    env: Mapping[str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sighting:
    """What the agent saw at its last look."""

    boot: str = "boot"
    """Which run of the machine or pod this is; empty while it is off."""
    workloads: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Container to the boot of the Pebble that answers there."""
    notices: tuple[Notice, ...] = ()
    wall_s: float = 0
    """The time, for secrets that rotate."""
    update_status: bool = False
    """Whether ``update-status`` is due."""


def nothing() -> None:
    """Remember nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """A hook to run, with what precedes and follows it."""

    hook: str
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    done: Callable[[], None] = nothing
    """Remembers in the model that the hook ended well."""
    task: Task | None = None
    before: Errand | None = None
    after: Errand | None = None
    silent: bool = False
    """Whether there is no hook to run: only *done* counts."""
