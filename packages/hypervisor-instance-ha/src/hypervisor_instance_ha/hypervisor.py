# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What libvirt is asked, as a port; ``virt.py`` has the real one."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


class Ending(enum.Enum):
    """How a guest came to its end."""

    CRASHED = "its process died"
    SIGNALLED = "its process was told to end, by nobody that Nova knows"
    BY_ITSELF = "the guest shut itself down"
    WANTED = "libvirt was told to end, move or save it"
    UNKNOWN = "nobody saw how"


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A guest of Nova's that runs."""

    uuid: str
    has_agent: bool = False


class Hypervisor(Protocol):
    """The guests of this machine. Every method raises ``LibvirtError`` if libvirt does not."""

    def running(self) -> Mapping[str, Guest]:
        """Return the guests of Nova's that run or are paused, by UUID."""
        ...

    def ending(self, uuid: str) -> Ending:
        """Return how a guest that does not run came to its end, as libvirt remembers it."""
        ...

    def ping(self, uuid: str, *, timeout_s: float) -> bool:
        """Return whether the guest's agent answers in time."""
        ...

    def destroy(self, uuids: Collection[str]) -> None:
        """End guests at once, keep their definitions, and let none of them start by itself."""
        ...

    def close(self) -> None:
        """Let go of libvirt."""
        ...
