# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Fence the host: the first task of every flow, and the only source of a proof."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from instance_ha.errors import FenceError
from instance_ha.ladder import OFF
from masakari_instance_ha import fencing
from masakari_instance_ha.fencing import unfenced
from masakari_instance_ha.fencing.patience import fence_patiently
from masakari_instance_ha.tasks.permission import demand_permission
from masakari_instance_ha.tasks.work import CONF, RecoveryTask, Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.model import FenceProof


class FenceHostTask(RecoveryTask):
    """Power the failed host off, and prove it."""

    needs = ("host_name", "notification_uuid")
    gives = "fence_proof"

    def execute(  # pyright: ignore[reportIncompatibleMethodOverride] - theirs has no type
        self, host_name: str, notification_uuid: str
    ) -> dict[str, object]:
        """Return the proof as a dict, or raise so that the flow stops here."""
        with self.working(host_name, notification=notification_uuid) as work:
            self.update_details(f"Fencing host '{host_name}'")
            proof = fence(work, permitted=lambda: demand_permission(work, context=self.context))
            self.update_details(f"Host '{host_name}' is fenced: {proof.answer}", 1.0)
            return dataclasses.asdict(proof)


def _always() -> None:
    """Permit."""


def fence(work: Work, *, permitted: Callable[[], None] = _always) -> FenceProof:
    """Return the proof that the host is off, recorded, however many tries it takes.

    Args:
        work: The host's.
        permitted: Raises if a person stopped the recovery; asked before each try. A host whose
            servers move already is kept off in any case.
    """

    def before_try() -> None:
        work.demand_open()
        permitted()

    def tell(error: FenceError) -> None:
        work.say("fence", f"{error.reason}; trying again. {error.hint}", result="retried")

    work.say("fence", "must be proven off before anything moves")
    try:
        proof = fence_patiently(
            work.fencer(),
            work.host,
            clock=work.clock,
            patience_s=CONF.instance_ha_fencing.patience,
            tell=tell,
            before_try=before_try,
        )
    except FenceError as error:
        work.say("alarm", f"held, for nothing proves that it cannot write: {error.reason}")
        raise
    work.store.record_proof(work.incident, proof)
    work.say("proof", _told(proof), target=proof.target, method=proof.method, by=proof.by)
    if proof.answer == OFF:
        _free_locks(work)
    return proof


def _free_locks(work: Work) -> None:
    """Have the storage refuse a host that is off, which ends the locks of its dead clients.

    Each of them would hold up the first write elsewhere for up to half a minute. The proof stands
    without it.
    """
    storage = work.storage()
    if storage is None:
        return
    try:
        proof = storage.fence(work.host)
    except FenceError as error:
        work.say("fence", f"the locks of its disks expire by themselves: {error.reason}")
        return
    work.store.record_proof(work.incident, proof)
    work.say("fence", f"{proof.answer} too, which frees the locks of its disks")


def power_on(work: Work, proof: FenceProof) -> None:
    """Order the host on, where its operator asked for that; its recovery is over either way."""
    if proof.answer != OFF or not CONF.instance_ha_fencing.power_on:
        return
    try:
        target = fencing.power_on(CONF, proof, clock=work.clock, by=f"masakari-{work.by}")
    except FenceError as error:
        work.say("power-on", f"not ordered: {error.reason}. {error.hint}")
    else:
        work.say("power-on", f"ordered for {target}, as nothing is left on it")


def _told(proof: FenceProof) -> str:
    if proof.method == unfenced.METHOD:
        return f"{proof.answer}: nobody was asked"
    took_s = proof.confirmed_at_s - proof.ordered_at_s
    return f"{proof.answer}, confirmed by {proof.method} {took_s:.1f} s after the order"
