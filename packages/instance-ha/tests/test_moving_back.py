# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from instance_ha.model import Event
from instance_ha.moving_back import Place, choose, taken


def active(server: str, **detail: str) -> Event:
    return Event(
        at_s=0.0, actor="engine", kind="active", text="", detail={"server": server} | detail
    )


def place(server: str, host: str, *, idle: bool = True) -> Place:
    return Place(server=server, name=f"name-{server}", host=host, idle=idle)


def test_the_last_place_of_a_server_counts():
    events = [
        active("a", destination="h2"),
        active("b"),
        Event(at_s=0.0, actor="engine", kind="evacuate", text="", detail={"server": "c"}),
        active("a", destination="h3"),
    ]

    assert taken(events) == {"a": "h3"}


def test_only_who_is_still_where_it_was_put_goes_back():
    put_on = {"a": "h2", "b": "h2", "c": "h3", "d": "h3"}
    now = {
        "a": place("a", "h2"),
        "b": place("b", "h9"),
        "c": place("c", "h3", idle=False),
    }

    back = choose(put_on, now)

    assert [p.server for p in back.go] == ["a"]
    assert back.stay == {
        "name-b": "it was put on h2 and is on h9: somebody moved it",
        "name-c": "it does not run, or something is being done with it",
        "d": "it was deleted",
    }
