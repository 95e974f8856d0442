# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Move servers live back to the host that an incident took them from."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError, InstanceHaError
from instance_ha.moving_back import TRIES, came_of, choose, is_given_up, taken
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.output import Table
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.mover import NovaMover

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.moving_back import Place
    from masakari_instance_ha.cli.output import Value

LOOK_S = 2.0
PATIENCE_S = 900.0
"""Of one move: a busy server with much memory may need minutes."""


class MovingBackError(InstanceHaError):
    """Servers cannot be moved back now."""


def describe_moving(top: Commands) -> None:
    """Describe ``move-back``."""
    made = top.deed("move-back", move_back, "move servers live back to a host that was lost")
    made.add_argument("host")
    made.add_argument("--dry-run", action="store_true", help="show what would be moved")
    made.add_argument("--at-once", type=int, default=2, choices=range(1, 21), metavar="1..20")


def move_back(call: Call) -> Table:
    """Move back what the newest incident took from the host and is still where it was put.

    Raises:
        InputError: if no incident took anything from it.
        MovingBackError: if the host has an unclosed incident, before or while servers move.
    """
    host = call.arguments.host
    mover = NovaMover(call.cloud)
    put_on = _taken_from(host, call=call)
    back = choose(put_on, mover.places(put_on))
    _demand_peace(host, call=call)
    if call.arguments.dry_run:
        results = {place.server: "would be moved" for place in back.go}
    else:
        results = _move(back.go, host=host, call=call, mover=mover)
    rows: list[Mapping[str, Value]] = [
        {"server": p.name, "from": p.host, "result": results[p.server]} for p in back.go
    ]
    rows += [{"server": s, "from": "", "result": f"stays: {w}"} for s, w in back.stay.items()]
    return Table(
        columns=("server", "from", "result"), rows=rows, empty="nothing was taken from it"
    )


def _taken_from(host: str, *, call: Call) -> Mapping[str, str]:
    for incident in call.store.incidents(host=host, limit=10):
        if found := taken(call.store.events(incident)):
            return found
    raise InputError(
        f"no recent incident took a server from {host}; "
        f"see instance-ha incident list --host {host}"
    )


def _demand_peace(host: str, *, call: Call) -> None:
    if host in call.store.unclosed():
        raise MovingBackError(
            f"{host} has an incident that is not closed, so nothing is moved there; "
            f"see instance-ha incident show --host {host}"
        )


def _move(
    places: Sequence[Place], *, host: str, call: Call, mover: NovaMover
) -> Mapping[str, str]:
    """Move a few at a time, each followed to its end; return server -> what came of it."""
    clock, results = SystemClock(), dict[str, str]()
    waiting, under_way = [place.server for place in places], dict[str, float]()
    tries = collections.Counter[str]()
    while waiting or under_way:
        _demand_peace(host, call=call)
        while waiting and len(under_way) < call.arguments.at_once:
            server = waiting.pop(0)
            tries[server] += 1
            if refusal := _begin(server, host=host, mover=mover):
                results[server] = refusal
            else:
                under_way[server] = clock.now_s() + PATIENCE_S
        clock.sleep(LOOK_S)
        now = mover.places(under_way)
        for server, until_s in list(under_way.items()):
            result = came_of(now.get(server), to=host)
            if result is None and clock.now_s() <= until_s:
                continue
            del under_way[server]
            if tries[server] < TRIES and is_given_up(now.get(server), to=host):
                waiting.append(server)
            else:
                results[server] = result or "still moves; see openstack server migration list"
    return results


def _begin(server: str, *, host: str, mover: NovaMover) -> str:
    """Begin one move; return why Nova declines it, or nothing."""
    try:
        mover.move(server, target=host)
    except CloudUnreachableError as error:
        return f"stays: {error}"
    return ""
