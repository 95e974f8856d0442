# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can prove that a host no longer writes; one module per kind of proof."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from instance_ha import ladder
from instance_ha.errors import FenceError, InstanceHaError
from instance_ha.ladder import Ladder, Rung
from masakari_instance_ha.fencing import bmc, ceph
from masakari_instance_ha.fencing.ceph import CephAccess, CephFencer
from masakari_instance_ha.fencing.ipmi import Ipmi
from masakari_instance_ha.fencing.maas import Maas
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.power import Pace, PowerFencer, no_objection
from masakari_instance_ha.fencing.redfish import Redfish
from masakari_instance_ha.fencing.unfenced import Unfenced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oslo_config import cfg

    from instance_ha.model import FenceProof
    from instance_ha.ports import Clock

__all__ = ["FencingOptionsError", "build", "power_on", "ready", "storage"]

_MAAS = ("maas_url", "maas_credentials_file", "targets_file")
_CEPH = ("ceph_conf", "ceph_keyring", "targets_file")


class FencingOptionsError(InstanceHaError):
    """The fencing options are incomplete, so no host can be proven off."""


def build(
    conf: cfg.ConfigOpts,
    *,
    clock: Clock,
    by: str,
    segment: str = "",
    before_order: Callable[[], None] = no_objection,
    tell: Callable[[str], None] = lambda _: None,
) -> Ladder | Unfenced:
    """Return the fencer that the options ask for; no network is touched yet.

    Args:
        conf: Options, already registered by :mod:`masakari_instance_ha.options`.
        clock: Where the times of proofs come from.
        by: Who orders, for example ``masakari-engine@masakari-0``.
        segment: The hosts' segment, which may have a ladder of its own.
        before_order: Is called right before each order; whatever it raises ends the fencing.
        tell: Hears why a rung was left for the next one.

    Raises:
        FencingOptionsError: if the mode is not chosen, or what it needs is not set.
        PolicyError: if the ladder names a rung that is unknown, or to which there is no access.
    """
    chosen = conf.instance_ha_fencing
    if chosen.mode == "none":
        return Unfenced(clock=clock, by=by)
    if chosen.mode is None:
        raise FencingOptionsError(
            "[instance_ha_fencing] mode is not set, so no host can be proven off. Integrate "
            "masakari-k8s:fencing with hacluster-shim, or choose fencing-mode=none by name"
        )
    found = _require_any(chosen)
    rungs = ladder.choose(
        segment=segment,
        of_segments=chosen.segment_rungs,
        of_all=chosen.rungs or _by_default(found),
        ready=found,
    )
    last = rungs[-1]
    return Ladder(
        {
            rung: _fencer(rung, chosen, last=last, clock=clock, by=by, before_order=before_order)
            for rung in rungs
        },
        tell=tell,
    )


def storage(conf: cfg.ConfigOpts, *, clock: Clock, by: str) -> CephFencer | None:
    """Return what has the storage refuse a host and listen to it again; None without Ceph."""
    chosen = conf.instance_ha_fencing
    if chosen.mode != "maas" or Rung.CEPH not in ready(chosen):
        return None
    return _ceph(chosen, clock=clock, by=by)


def power_on(conf: cfg.ConfigOpts, proof: FenceProof, *, clock: Clock, by: str) -> str:
    """Order a host on through what proved it off; return what that calls the machine.

    Raises:
        FenceError: if that does not take the order.
    """
    if proof.method not in list(Rung):
        reason = f"{proof.method} proved it off, and takes no orders of ours"
        raise FenceError(proof.host, reason, hint="Run the unfence-host action of hacluster-shim")
    rung = Rung(proof.method)
    fencer = _power(rung, conf.instance_ha_fencing, last=rung, clock=clock, by=by)
    return fencer.power_on(proof.host)


def ready(chosen: cfg.ConfigOpts.GroupAttr) -> Sequence[Rung]:
    """Return the rungs to which there is access, from the first to the last one."""
    found = [Rung.MAAS] if all(chosen[name] for name in _MAAS) else []
    if chosen.bmc_file:
        known = bmc.known_types(pathlib.Path(chosen.bmc_file))
        found += [rung for rung in bmc.TYPES if rung in known]
    if all(chosen[name] for name in _CEPH) and ceph.has_program():
        found.append(Rung.CEPH)
    return found


def _require_any(chosen: cfg.ConfigOpts.GroupAttr) -> Sequence[Rung]:
    if found := ready(chosen):
        return found
    missing = [name for name in _MAAS if not chosen[name]]
    raise FencingOptionsError(
        f"[instance_ha_fencing] lacks {', '.join(missing)}, so MAAS cannot be asked, and no other "
        "rung has access. Check the fencing relation: juju status --relations"
    )


def _by_default(found: Sequence[Rung]) -> Sequence[Rung]:
    """Return the rungs that are tried unless the options name them: those that switch power.

    Raises:
        FencingOptionsError: if there is none but Ceph, which has to be chosen by name.
    """
    if power := [rung for rung in found if rung is not Rung.CEPH]:
        return power
    raise FencingOptionsError(
        "nothing but Ceph can be asked, and that proves only where it is chosen by name: see that "
        "every storage address is right, then set [instance_ha_fencing] rungs = ceph"
    )


def _fencer(
    rung: Rung,
    chosen: cfg.ConfigOpts.GroupAttr,
    *,
    last: Rung,
    clock: Clock,
    by: str,
    before_order: Callable[[], None],
) -> PowerFencer | CephFencer:
    """Return the fencer of one rung."""
    if rung is Rung.CEPH:
        return _ceph(chosen, clock=clock, by=by, before_order=before_order)
    return _power(rung, chosen, last=last, clock=clock, by=by, before_order=before_order)


def _power(
    rung: Rung,
    chosen: cfg.ConfigOpts.GroupAttr,
    *,
    last: Rung,
    clock: Clock,
    by: str,
    before_order: Callable[[], None] = no_objection,
) -> PowerFencer:
    """Return the fencer of a rung; with another below it, a rung has less time."""
    deadline_s = chosen.order_deadline
    if rung is not last:
        deadline_s = min(deadline_s, chosen.rung_deadline)
    return PowerFencer(
        _way(rung, chosen, timeout_s=min(chosen.request_timeout, deadline_s)).reach,
        rung=rung,
        pace=Pace(deadline_s=deadline_s, interval_s=chosen.query_interval),
        clock=clock,
        by=by,
        before_order=before_order,
    )


def _way(
    rung: Rung, chosen: cfg.ConfigOpts.GroupAttr, *, timeout_s: float
) -> Maas | Redfish | Ipmi:
    if rung is Rung.MAAS:
        access = Access(
            url=chosen.maas_url,
            credentials=pathlib.Path(chosen.maas_credentials_file),
            ca=pathlib.Path(chosen.ca_file) if chosen.ca_file else None,
            timeout_s=timeout_s,
        )
        return Maas(access=access, targets=pathlib.Path(chosen.targets_file))
    kind = Redfish if rung is Rung.REDFISH else Ipmi
    return kind(file=pathlib.Path(chosen.bmc_file), timeout_s=timeout_s)


def _ceph(
    chosen: cfg.ConfigOpts.GroupAttr,
    *,
    clock: Clock,
    by: str,
    before_order: Callable[[], None] = no_objection,
) -> CephFencer:
    return CephFencer(
        CephAccess(
            config=pathlib.Path(chosen.ceph_conf),
            keyring=pathlib.Path(chosen.ceph_keyring),
            user=chosen.ceph_user,
            timeout_s=chosen.ceph_timeout,
        ),
        targets=pathlib.Path(chosen.targets_file),
        expires_s=chosen.blocklist_expiry,
        clock=clock,
        by=by,
        before_order=before_order,
    )
