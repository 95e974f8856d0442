# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can prove that a host no longer writes; one module per kind of proof."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from masakari_instance_ha.fencing.maas import MaasFencer, Pace
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.unfenced import Unfenced

if TYPE_CHECKING:
    from oslo_config import cfg

    from instance_ha.ports import Clock, Fencer

__all__ = ["FencingOptionsError", "build"]


class FencingOptionsError(InstanceHaError):
    """The fencing options are incomplete, so no host can be proven off."""


def build(conf: cfg.ConfigOpts, *, clock: Clock, by: str) -> Fencer:
    """Return the fencer that the options ask for; no file and no network is touched yet.

    Args:
        conf: Options, already registered by :mod:`masakari_instance_ha.options`.
        clock: Where the times of proofs come from.
        by: Who orders, for example ``masakari-engine@masakari-0``.

    Raises:
        FencingOptionsError: if the mode is not chosen, or what it needs is not set.
    """
    chosen = conf.instance_ha_fencing
    if chosen.mode == "none":
        return Unfenced(clock=clock, by=by)
    if chosen.mode is None:
        raise FencingOptionsError(
            "[instance_ha_fencing] mode is not set, so no host can be proven off. Integrate "
            "masakari-k8s:fencing with hacluster-shim, or choose fencing-mode=none by name"
        )
    needed = ("maas_url", "maas_credentials_file", "targets_file")
    if missing := [name for name in needed if not chosen[name]]:
        raise FencingOptionsError(
            f"[instance_ha_fencing] lacks {', '.join(missing)}, so MAAS cannot be asked. "
            "Check the fencing relation: juju status --relations"
        )
    return MaasFencer(
        access=Access(
            url=chosen.maas_url,
            credentials=pathlib.Path(chosen.maas_credentials_file),
            ca=pathlib.Path(chosen.ca_file) if chosen.ca_file else None,
            timeout_s=chosen.request_timeout,
        ),
        targets=pathlib.Path(chosen.targets_file),
        pace=Pace(deadline_s=chosen.order_deadline, interval_s=chosen.query_interval),
        clock=clock,
        by=by,
    )
