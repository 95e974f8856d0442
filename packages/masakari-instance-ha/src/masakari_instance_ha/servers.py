# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Servers as Nova's API tells of them, and which of them the options choose.

The engine and the controller call Nova through different clients; both hand over what it said.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from instance_ha.selection import Disks, Pattern, Protect, Selection, ServerFacts, by_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_VOLUMES = "os-extended-volumes:volumes_attached"
_ROOT = "OS-EXT-SRV-ATTR:root_device_name"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which servers move, segment by segment."""

    default: Selection
    segments: Mapping[str, Protect]

    def of(self, segment: str) -> Selection:
        """Return the rule of the segment of that name."""
        protect = self.segments.get(segment, self.default.protect)
        return dataclasses.replace(self.default, protect=protect)


def rules(conf: cfg.ConfigOpts, *, host_failure: Any) -> Rules:  # noqa: ANN401 - oslo's group
    """Return what the options choose.

    Args:
        conf: The plugin's options.
        host_failure: Masakari's group of that name, which stands where ours says nothing.

    Raises:
        PolicyError: if an option means nothing.
    """
    ours = conf.instance_ha_servers
    everything = Protect.ALL if host_failure.evacuate_all_instances else Protect.METADATA
    return Rules(
        default=Selection(
            protect=Protect(ours.protect) if ours.protect else everything,
            metadata_key=host_failure.ha_enabled_instance_metadata_key,
            tag=ours.tag,
            ignored=tuple(Pattern.read(text) for text in ours.ignored if text.strip()),
            disks=Disks(ours.disks),
            errored=not host_failure.ignore_instances_in_error_state,
        ),
        segments=by_segment(ours.segments),
    )


def facts(said: Mapping[str, Any], *, attached: Callable[[], Iterable[str | None]]) -> ServerFacts:
    """Return what the rule needs of a server in the words of Nova's API (2.47 or later).

    Args:
        said: The server, with the API's own names.
        attached: Reads the device names of its volumes; called only where they decide, which is
            for a server of an image that has volumes: its root disk may be one of them.
    """
    image = (said.get("image") or {}).get("id") or ""
    on_volume = not image
    if image and said.get(_VOLUMES):
        on_volume = said.get(_ROOT) in set(attached())
    return ServerFacts(
        name=said.get("name") or "",
        vm_state=said.get("OS-EXT-STS:vm_state") or "",
        project=said.get("tenant_id") or "",
        metadata=said.get("metadata") or {},
        tags=frozenset(said.get("tags") or ()),
        flavor=(said.get("flavor") or {}).get("extra_specs") or {},
        image=image,
        on_volume=on_volume,
    )
