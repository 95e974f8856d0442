# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a power controller, switched on and off while it runs."""

import dataclasses
import enum
import json
from collections.abc import Mapping

from lab import paths
from lab.errors import LabError

FILE = paths.STATE / "maas" / "faults.json"
EVERYTHING = "*"
"""In place of a host's name: all requests, those that name no machine included."""


class Fault(enum.StrEnum):
    """One way to fail; the value is what people type."""

    SLOW = "slow"
    """Each answer, and each power change, takes some seconds more."""
    LYING = "lying"
    """Orders are accepted and ignored, and the power is reported as off although it is on."""
    STUCK = "stuck"
    """Orders are accepted and ignored, and the power is reported as it is."""
    FAILING = "failing"
    """503 to each request."""
    HANGING = "hanging"
    """Connections are accepted and never answered."""
    REFUSING = "refusing"
    """403 to each request, as for a key without the right to touch this machine."""
    UNKNOWN_STATE = "unknown-state"
    """The power state is ``unknown``: the machine's own controller says nothing of use."""
    ERROR_STATE = "error-state"
    """The power state is ``error``: the machine's own controller cannot be reached."""
    MISSING = "missing"
    """MAAS does not know the machine."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Injected:
    """A fault that is on."""

    fault: Fault
    seconds: float = 0.0
    """For ``slow``: how much longer everything takes."""


def inject(fault: str, *, machine: str = EVERYTHING, seconds: float = 10.0) -> None:
    """Switch a fault on, for one host's machine or for all; it replaces the one before.

    Raises:
        LabError: if there is no such fault.
    """
    if fault not in set(Fault):
        raise LabError(f"no fault is called {fault}; say one of {', '.join(Fault)}")
    _store(load() | {machine: Injected(fault=Fault(fault), seconds=seconds)})


def clear(machine: str | None = None) -> None:
    """Switch the fault of one machine off, by default all faults."""
    _store({} if machine is None else {k: v for k, v in load().items() if k != machine})


def load() -> dict[str, Injected]:
    """Return the faults that are on, by machine."""
    if not FILE.exists():
        return {}
    said = json.loads(FILE.read_text())
    return {k: Injected(fault=Fault(v["fault"]), seconds=v["seconds"]) for k, v in said.items()}


def find(machine: str | None) -> Injected | None:
    """Return the fault that a request about *machine* meets; None stands for no machine."""
    faults = load()
    return faults.get(machine or EVERYTHING) or faults.get(EVERYTHING)


def _store(faults: Mapping[str, Injected]) -> None:
    FILE.parent.mkdir(parents=True, exist_ok=True)
    new = FILE.with_suffix(".new")
    new.write_text(json.dumps({k: dataclasses.asdict(v) for k, v in faults.items()}, indent=2))
    new.replace(FILE)
