# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What speaks against an upgrade now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.script import ScriptDirectory

from instance_ha.model import IncidentState
from masakari_instance_ha import migrations
from masakari_instance_ha.checks import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masakari_instance_ha.store import Store

_UNDER_WAY = {IncidentState.OPEN, IncidentState.HELD, IncidentState.RECOVERING}


def checks(store: Store, *, url: str) -> Sequence[Check]:
    """Look at everything; what fails does not keep the rest from being looked at."""
    return (
        Check(name="recoveries", problem=_recoveries(store)),
        Check(name="tables", problem=_tables(store, url=url)),
        Check(name="pauses", problem=_pauses(store)),
    )


def _recoveries(store: Store) -> str:
    """Tell of hosts whose recovery an upgrade would interrupt; it is safe, and takes longer."""
    busy = [each for each in store.unclosed().values() if each.state in _UNDER_WAY]
    if not busy:
        return ""
    hosts = ", ".join(sorted(each.host for each in busy))
    return (
        f"{hosts}: recovery under way, and a restarted engine takes it up only after a while; "
        f"wait until instance-ha incident list shows no {', '.join(sorted(_UNDER_WAY))} one"
    )


def _tables(store: Store, *, url: str) -> str:
    """Tell whether the tables are those that this release expects, or a newer one's."""
    expected = ScriptDirectory.from_config(migrations.config(url)).get_current_head()
    found = store.version()
    if found == expected or (found is not None and found not in migrations.known()):
        return ""
    return (
        f"the tables are of version {found}, and this release has {expected}; "
        "run instance-ha db-sync, or refresh the charm so that its leader does"
    )


def _pauses(store: Store) -> str:
    """Tell of pauses that nobody ended: they outlast an upgrade."""
    lasting = [pause for pause in store.rulings().pauses if pause.until_s is None]
    if not lasting:
        return ""
    return (
        f"{lasting[0]}; it outlasts the upgrade, so nothing is recovered meanwhile or after; "
        f"end it first: instance-ha resume {lasting[0].id}"
    )
