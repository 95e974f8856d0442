# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Schedules of faults, drawn as data: they shrink line by line, and print as scenario folders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hypothesis import strategies as st

from instance_ha import recovery
from instance_ha.simulation import folder, scenario
from instance_ha.simulation.scenario import Entry, Scenario
from instance_ha.simulation.world import HostPlan, WorldPlan

PLAN = WorldPlan(
    hosts=tuple(HostPlan(name=f"h{k}", servers=(f"a-{k}", f"b-{k}")) for k in range(1, 6)),
    controllers=("masakari-0", "masakari-1"),
    engines=("engine", "engine-1"),
    fence_patience_s=60.0,
)
HOSTS = tuple(host.name for host in PLAN.hosts)
NETWORKS = ("management", "tenant", "storage")
SERVICES = ("database", "api", "nova", "rabbitmq", "maas")
PROGRAMS = (*PLAN.engines, *PLAN.controllers)
CONSUL = tuple(f"{network}-{k}" for network in NETWORKS for k in (1, 2))
COMPONENTS = (*SERVICES, *PROGRAMS, *CONSUL)
KINDS = ("down", "hung", "deaf", "late")

CONTROLLERS_STEPS = ("notify", "release-orphan", "end-maintenance", "return-to-service")
MOMENTS = (
    *(f"{when} {step}" for step in recovery.ORDER for when in ("before", "after")),
    "within evacuate",
    *(f"{when} {step}" for step in CONTROLLERS_STEPS for when in ("before", "after")),
)
"""Every step of a recovery, taken from where the product keeps them."""

CALM_S = 270.0
"""More than Masakari's window for duplicates and the engines' retries together."""
RETURN_S = 110.0
"""More than a boot and the health delay."""

hosts = st.sampled_from(HOSTS)
seconds = st.integers(1, 45).map(float)
Acts = tuple[tuple[float, str], ...]
"""Acts that belong together: seconds from the first one, and what to do."""


def _for_a_while(begin: str, end: str, lasts_s: float) -> Acts:
    return ((0.0, begin), (lasts_s, end))


troubles = st.builds(
    "trouble {} {} {:g}".format, st.sampled_from(COMPONENTS), st.sampled_from(KINDS), seconds
)
at_a_moment = st.builds("{} {}".format, st.sampled_from(MOMENTS), troubles)
jumps = st.builds(
    "skew {} {}".format,
    st.sampled_from(PLAN.controllers),
    st.sampled_from([-3600, -30, -3, 3, 30, 3600]),
)
isolations = st.builds("isolate {} {:g}".format, st.sampled_from(PLAN.controllers), seconds)
rumours = st.builds(
    "rumour {} {} {}".format, hosts, st.sampled_from(NETWORKS), st.sampled_from([0.5, 1.0, 1.3])
)
power_losses = hosts.map("power-off {}".format)
operators = st.one_of(
    st.builds(
        _for_a_while,
        st.just("segment rack-1 disabled"),
        st.just("segment rack-1 enabled"),
        seconds,
    ),
    st.builds("pause host {} {:g}".format, hosts, seconds).map(lambda do: ((0.0, do),)),
    st.builds("pause segment rack-1 {:g}".format, seconds).map(lambda do: ((0.0, do),)),
)
flaps = st.builds(
    lambda host, network, lasts_s: _for_a_while(
        f"cut {host} {network}", f"heal {host} {network}", lasts_s
    ),
    hosts,
    st.sampled_from(NETWORKS),
    seconds,
)
reboots = st.builds(
    lambda host, lasts_s: _for_a_while(f"power-off {host}", f"boot {host}", lasts_s),
    hosts,
    seconds,
)
singles = st.one_of(power_losses, troubles, at_a_moment, jumps, isolations, rumours)
events = st.one_of(singles.map(lambda do: ((0.0, do),)), flaps, reboots, operators)
schedules = st.lists(st.tuples(st.integers(0, 40).map(float), events), min_size=1, max_size=9)


def story(schedule: list[tuple[float, Acts]], *, name: str = "schedule") -> Scenario:
    """Return the scenario that plays *schedule*, mends all, and looks what became of it."""
    entries: list[Entry] = []
    now_s = 15.0
    for pause_s, acts in schedule:
        now_s += pause_s
        entries += [Entry(at_s=now_s + after_s, do=do) for after_s, do in acts]
    end_s = max(entry.at_s for entry in entries) + 46.0
    calm_s = end_s + CALM_S
    entries += [
        Entry(at_s=end_s, do="mend"),
        Entry(at_s=calm_s, expect="forgotten == nothing"),
        Entry(at_s=calm_s, do="bring-back"),
        Entry(at_s=calm_s + RETURN_S, do="bring-back"),  # what was fenced meanwhile
        Entry(at_s=calm_s + 2 * RETURN_S, expect="idle == nothing"),
    ]
    entries.sort(key=lambda entry: entry.at_s)
    return Scenario(
        name=name, plan=PLAN, entries=tuple(entries), length_s=calm_s + 2 * RETURN_S + 1.0
    )


def examine(played: Scenario, **worse: object) -> None:
    """Play a scenario; fail with the folder that shows it if a promise was broken."""
    outcome = scenario.play(played, **worse)
    faults = [*outcome.broken, *outcome.unmet]
    if not faults:
        return
    text = folder.timeline(played)
    name = f"schedule-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    reports = Path(os.environ.get("REPORTS", "build/reports")) / "schedules" / name
    folder.write(played, reports, story="\n".join(faults))
    raise AssertionError(
        "\n".join([*faults, f"replay: python -m instance_ha.simulation play {reports}", text])
    )
