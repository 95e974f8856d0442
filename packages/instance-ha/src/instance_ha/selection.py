# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which servers of a lost host a recovery moves, and why it leaves the others.

One rule for two readers: the engine moves by it, and the controller counts by it what is left.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from instance_ha.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG = "automatic-recovery"
_YES = frozenset({"1", "t", "true", "on", "y", "yes"})

OWN_HEALERS = (r"name=^amphora-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",)
"""Servers that their own service replaces: an amphora that Octavia finds rebuilt under it is a
load balancer lost."""


class Protect(enum.StrEnum):
    """Who is moved."""

    ALL = "all"
    METADATA = "metadata"
    """Who has the metadata key."""
    TAG = "tag"
    """Who has the tag, as a server tag, an image property or an extra spec of the flavor."""


class Disks(enum.StrEnum):
    """Where the disks of servers are that were not booted from a volume."""

    ASK = "ask"
    """Nova's destination tells before it rebuilds anything; what it cannot reach stays."""
    SHARED = "shared"
    """The operator vouches for it; what is not shared is rebuilt from its image, empty."""
    LOCAL = "local"
    """Lost with the host: nothing but its return brings them back."""


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What Nova says of a server, as far as the rule needs it."""

    name: str
    vm_state: str
    project: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: frozenset[str] = frozenset()
    flavor: Mapping[str, str] = field(default_factory=dict[str, str])
    """Extra specs of its flavor."""
    image: str = ""
    """Empty for a server that was booted from a volume."""
    image_properties: Mapping[str, str] = field(default_factory=dict[str, str])
    """Read only where :meth:`Selection.needs_image` asks for it."""
    on_volume: bool = False
    """Whether its root disk is a volume."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One kind of server that is left alone, for example ``name=^amphora-``."""

    of: str
    """``name``, ``project``, ``tag``, or ``metadata``."""
    expression: re.Pattern[str]

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the pattern that an operator wrote.

        Raises:
            PolicyError: if it is none.
        """
        of, _, expression = text.strip().partition("=")
        if of not in {"name", "project", "tag", "metadata"} or not expression:
            raise PolicyError(
                f"ignored servers: {text!r} is no pattern; write name=EXPRESSION, project=ID, "
                "tag=TAG or metadata=KEY:VALUE"
            )
        try:
            return cls(of=of, expression=re.compile(expression))
        except re.error as error:
            raise PolicyError(
                f"ignored servers: {expression!r} is no regular expression: {error}; correct it"
            ) from error

    def matches(self, server: ServerFacts) -> bool:
        """Return whether *server* is of this kind; a name may match in part, the rest wholly."""
        if self.of == "name":
            return self.expression.search(server.name) is not None
        words = {
            "project": [server.project],
            "tag": server.tags,
            "metadata": [f"{key}:{value}" for key, value in server.metadata.items()],
        }[self.of]
        return any(self.expression.fullmatch(word) for word in words)

    def __str__(self) -> str:
        """Return it as an operator writes it."""
        return f"{self.of}={self.expression.pattern}"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The rule of one segment."""

    protect: Protect = Protect.ALL
    metadata_key: str = "HA_Enabled"
    tag: str = TAG
    ignored: tuple[Pattern, ...] = tuple(map(Pattern.read, OWN_HEALERS))
    disks: Disks = Disks.ASK
    errored: bool = True
    """Whether servers in the state ERROR are moved too."""

    def is_marked(self, server: ServerFacts) -> bool:
        """Return whether the server itself asks to be moved, by metadata or tag."""
        return is_true(server.metadata.get(self.metadata_key)) or self.tag in server.tags

    def needs_image(self, server: ServerFacts) -> bool:
        """Return whether its image's properties could still decide."""
        return bool(server.image) and self.protect is Protect.TAG and not self._has_tag(server)

    def why_left(self, server: ServerFacts) -> str | None:
        """Return why a recovery leaves the server where it is, or None if it moves it."""
        if server.vm_state == "error" and not self.errored:
            return "is in error, and such servers are left"
        if not self.is_marked(server):
            for pattern in self.ignored:
                if pattern.matches(server):
                    return f"is replaced by its own service ({pattern})"
        if self.protect is Protect.METADATA and not is_true(
            server.metadata.get(self.metadata_key)
        ):
            return f"has no metadata {self.metadata_key}=true"
        if self.protect is Protect.TAG and not self._has_tag(server):
            return f"has no tag {self.tag}, nor has its image or flavor"
        if self.disks is Disks.LOCAL and not server.on_volume:
            return "has its disk on the lost host; only the host's return brings it back"
        return None

    def asks(self, server: ServerFacts) -> bool:
        """Return whether Nova has to look for the server's disk before it rebuilds it."""
        return self.disks is Disks.ASK and not server.on_volume

    def _has_tag(self, server: ServerFacts) -> bool:
        said = (server.flavor.get(self.tag), server.image_properties.get(self.tag))
        return self.tag in server.tags or any(map(is_true, said))


def is_true(said: str | None) -> bool:
    """Return whether a value that a person wrote means yes."""
    return said is not None and str(said).strip().lower() in _YES


def by_segment(said: Mapping[str, str]) -> Mapping[str, Protect]:
    """Return segment name -> who is moved there, where an operator set it apart.

    Raises:
        PolicyError: if a word is none of ours.
    """
    for segment, word in said.items():
        if word not in set(Protect):
            known = ", ".join(Protect)
            raise PolicyError(f"servers of segment {segment}: {word!r} is unknown; give {known}")
    return {segment: Protect(word) for segment, word in said.items()}
