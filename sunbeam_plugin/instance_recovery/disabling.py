# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The steps of ``sunbeam disable instance-recovery``: the way back, nothing left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import asking
from .errors import ActionFailedError, RecoveryUnderWayError
from .plan import ALL_APPLICATIONS, BMC_SECRET, CONSUMED, MAAS_SECRET, MASAKARI
from .ports import Model
from .procedure import Step

if TYPE_CHECKING:
    from .ports import Cloud, Tell

REASON = "sunbeam disable instance-recovery"


@dataclass(kw_only=True)
class Disabling:
    """Takes instance recovery away, from any state that enabling or disabling left."""

    cloud: Cloud
    remove_segments: bool = False
    """Segments live in Masakari's database, which outlives it; a later enable finds them."""
    force: bool = False

    def require_idle(self) -> None:
        """Refuse while a hypervisor is being recovered.

        Raises:
            RecoveryUnderWayError: unless forced.
        """
        if self.force or not self._masakari_is_there():
            return
        if hosts := asking.recovering(self.cloud):
            raise RecoveryUnderWayError(hosts)

    def steps(self) -> list[Step]:
        """Return the steps, in order."""
        return [
            Step(title="let recovery rest", run=self._rest),
            *(
                [Step(title="remove the segments", run=self._remove_segments)]
                if self.remove_segments
                else []
            ),
            Step(title="separate the two models", run=self._disconnect),
            Step(title="take the plan back", run=self._destroy),
            Step(title="remove what is left", run=self._remove),
            Step(title="remove the secrets", run=self._remove_secrets),
        ]

    def _masakari_is_there(self) -> bool:
        return MASAKARI in self.cloud.present(Model.CONTROL)

    def _rest(self, _: Tell) -> None:
        """Begin nothing while evidence and fences are taken away one by one."""
        if not self._masakari_is_there():
            return
        try:
            pause = {"reason": REASON, "duration": asking.LEAST_PAUSE}
            asking.ask(self.cloud, "pause-recovery", **pause)
        except ActionFailedError:
            # A Masakari that does not work recovers nobody either.
            if not self.force:
                raise

    def _remove_segments(self, tell: Tell) -> None:
        if not self._masakari_is_there():
            return
        for name in asking.segments(self.cloud):
            tell(name)
            asking.ask(self.cloud, "delete-segment", segment=name, confirm=True)

    def _disconnect(self, _: Tell) -> None:
        for model, offers in CONSUMED.items():
            self.cloud.disconnect(model, offers)

    def _destroy(self, tell: Tell) -> None:
        self.cloud.destroy(tell)

    def _remove(self, tell: Tell) -> None:
        for model, applications in ALL_APPLICATIONS.items():
            left = [name for name in applications if name in self.cloud.present(model)]
            if left:
                tell(", ".join(left))
                self.cloud.remove(model, left)

    def _remove_secrets(self, _: Tell) -> None:
        for name in (MAAS_SECRET, BMC_SECRET):
            self.cloud.remove_secret(name)
