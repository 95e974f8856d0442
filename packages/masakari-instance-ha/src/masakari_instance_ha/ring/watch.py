# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ring as this member sees it, read all the time."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from instance_ha import pacemaker
from instance_ha.model import Network
from instance_ha.pacemaker import PacemakerAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from instance_ha.model import FenceProof, Reach
    from instance_ha.pacemaker import RingView

logger = logging.getLogger(__name__)

EVERY_S = 2.0
"""Pause between two readings. Two processes a reading: more often would cost more than it finds,
for the ring itself needs seconds to notice a loss."""
FRESH_S = 7.0
"""Age from which a view counts no longer; well above a reading that is slow once."""
TIMEOUT_S = 5.0
"""Of one of Pacemaker's tools; they hang while the cluster forms."""
TRANSPORT = Network.MANAGEMENT
"""The network on which the ring reaches its remotes."""

_SHOW = ("crm_mon", "--output-as=xml", "--fence-history=3")
_KEEP = ("cibadmin", "--query")
_NAME = ("crm_node", "--name")


def ask(argv: tuple[str, ...]) -> str:
    """Return what one of Pacemaker's tools prints.

    Raises:
        PacemakerAnswerError: if it is not there, fails, or does not end.
    """
    said = f"`{' '.join(argv)}`"
    try:
        done = subprocess.run(
            argv,
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        why = error.stderr.strip() or f"exit code {error.returncode}"
        raise PacemakerAnswerError(f"{said} failed: {why}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PacemakerAnswerError(f"{said}: {error}; see systemctl status pacemaker") from error
    return done.stdout


class RingWatch:
    """Evidence, proofs and the right to act, all from one view of the ring.

    Implements ``ports.Observer``, ``ports.Proofs`` and ``ports.Lease``: the member that decides in
    a ring with a quorum is the only one that speaks, so it is the only one that acts, and the ring
    itself sees to it that there are never two.
    """

    def __init__(
        self,
        *,
        ask: Callable[[tuple[str, ...]], str] = ask,
        every_s: float = EVERY_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a watch; nothing is read before :meth:`start` or :meth:`read`."""
        self._ask = ask
        self._every_s = every_s
        self._monotonic_s = monotonic_s
        self._newest: tuple[float, RingView] | None = None
        self._trouble = "the ring has not been read yet"
        self._stopped = threading.Event()
        self.node = ""
        """This member's name in the ring; empty while it is not known."""

    def start(self) -> None:
        """Read the ring in a thread from now on, until :meth:`stop`."""
        threading.Thread(target=self._read_on, name="ring", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._stopped.set()

    def read(self) -> None:
        """Read the ring once; what cannot be read leaves the last view to grow old."""
        began_s = self._monotonic_s()
        try:
            self.node = self.node or self._ask(_NAME).strip()
            view = pacemaker.read(self._ask(_SHOW), cib=self._ask(_KEEP))
        except PacemakerAnswerError as error:
            self._say(str(error))
            return
        self._newest = (began_s, view)
        self._say("")

    @property
    def view(self) -> RingView | None:
        """The ring as it was seen last; None where that is too long ago."""
        newest = self._newest
        if newest is None or self._monotonic_s() - newest[0] > FRESH_S:
            return None
        return newest[1]

    @property
    def trouble(self) -> str:
        """Why the last reading failed; empty if it did not."""
        return self._trouble

    # Evidence

    def observe(self) -> Mapping[str, Mapping[Network, Reach]]:
        """Return remote -> management network -> reach; members of the ring are never named."""
        view = self.view
        seen = {} if view is None else view.reach(self.node)
        return {host: {TRANSPORT: reach} for host, reach in seen.items()}

    # Proofs

    def proofs(self) -> Mapping[str, FenceProof]:
        """Return remote -> the proof that it is off; a member without a say proves nobody."""
        view = self.view
        return {} if view is None else view.proofs(node=self.node)

    # The right to act

    def take(self, *, ttl_s: float) -> bool:  # noqa: ARG002 - the ring itself passes it on
        """Return whether this member decides, and has a quorum."""
        view = self.view
        return view is not None and view.speaks(self.node)

    def give_up(self) -> None:
        """Change nothing: who decides is the ring's own business."""

    def _read_on(self) -> None:
        while not self._stopped.is_set():
            self.read()
            self._stopped.wait(self._every_s)

    def _say(self, trouble: str) -> None:
        """Log a trouble when it begins or changes."""
        if trouble and trouble != self._trouble:
            logger.warning("nothing is known of the ring: %s", trouble)
        elif self._trouble and not trouble:
            logger.info("the ring is read as %s", self.node)
        self._trouble = trouble
