# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who forms the ring, and the text of Corosync's configuration for them."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from instance_ha_relations.hanode import LayoutMember as Member

MOST_LINKS = 3
"""Corosync takes eight; one for each of management, tenant and storage is what a cloud has."""

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("hacluster_shim"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - the files are not HTML
)


def links(members: Sequence[Member]) -> int:
    """Return how many links all members have: Corosync wants as many of each."""
    return min((MOST_LINKS, *(len(member.addresses) for member in members)))


def corosync_conf(members: Sequence[Member], *, name: str, token_ms: int) -> str:
    """Return Corosync's configuration, the same text on each member."""
    return render(
        "corosync.conf.j2",
        members=sorted(members, key=lambda member: member.node_id),
        links=links(members),
        name=name,
        token_ms=token_ms,
    )


def render(template: str, **values: object) -> str:
    """Return the text of one of the package's templates."""
    return _TEMPLATES.get_template(template).render(**values)
