# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung IPMI: the host's own controller by IPMI 2.0, through pyghmi in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instance_ha.ladder import Rung
from masakari_instance_ha.fencing import bmc, ipmi_call
from masakari_instance_ha.fencing.power import PowerError

if TYPE_CHECKING:
    from collections.abc import Generator

    from masakari_instance_ha.fencing.bmc import Bmc

_REACH = "Check that masakari-engine's network reaches the BMC by UDP, and that IPMI is enabled"
_TEXT_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Ipmi:
    """The way to the hosts' BMCs; the file is read anew for every host."""

    file: pathlib.Path
    timeout_s: float

    @contextlib.contextmanager
    def reach(self, host: str) -> Generator[IpmiSwitch]:
        """Give the switch of the host."""
        access = bmc.find(host, kind=Rung.IPMI, file=self.file)
        yield IpmiSwitch(access, timeout_s=self.timeout_s)


class IpmiSwitch:
    """The power of one host; implements :class:`~.power.Switch`."""

    def __init__(self, access: Bmc, *, timeout_s: float) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self.target = f"{access.address}:{access.port}"

    def off(self, *, comment: str) -> bool:  # noqa: ARG002 - IPMI has no place for it
        """Order the power off, hard."""
        self._ask(order="off")
        return True

    def on(self) -> None:
        """Order the power on."""
        self._ask(order="on")

    def state(self) -> str:
        """Return what the BMC says now, ``on`` or ``off``."""
        return self._ask(order=None)

    def _ask(self, *, order: str | None) -> str:
        """Return the BMC's answer.

        Raises:
            PowerError: if there is none in time, or it is a refusal.
        """
        access = self._access
        question = {
            "address": access.address,
            "port": access.port,
            "username": access.username,
            "password": access.password,
            "order": order,
        }
        try:
            # -P: no module beside the script may stand in for one that it imports. It finds what
            # this process finds, which a fence agent does by no variable of the environment.
            path = os.pathsep.join(filter(None, sys.path))
            done = subprocess.run(
                [sys.executable, "-P", str(pathlib.Path(ipmi_call.__file__))],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                timeout=self._timeout_s,
                check=False,
                env=os.environ | {"PYTHONPATH": path},
            )
        except subprocess.TimeoutExpired:
            # Without "from": its error holds the question, and the password in it.
            reason = f"the BMC at {self.target} did not answer in {self._timeout_s:g} s"
            raise PowerError(reason, hint=_REACH, passing=True) from None
        except OSError as error:
            reason = f"IPMI cannot be spoken here: {error.strerror}"
            raise PowerError(reason, hint=_REACH, passing=False) from error
        return self._understand(done.stdout)

    def _understand(self, text: str) -> str:
        try:
            said: Any = json.loads(text)
        except ValueError:
            said = {}
        if not isinstance(said, dict) or not said:
            reason = f"the conversation with the BMC at {self.target} broke off"
            raise PowerError(reason, hint=_REACH, passing=True)
        if "missing" in said:
            reason = f"IPMI cannot be spoken here: the Python module {said['missing']} is missing"
            hint = "Use a Masakari image with python3-cryptography and python3-dateutil"
            raise PowerError(reason, hint=hint, passing=False)
        if "silent" in said:
            reason = f"the BMC at {self.target} did not answer"
            raise PowerError(reason, hint=_REACH, passing=True)
        if "state" in said:
            return str(said["state"]).lower()
        told = str(said.get("error")).replace(self._access.password, "***")
        clean = "".join(c for c in told if c.isprintable())[:_TEXT_LENGTH]
        reason = f"the BMC at {self.target} refuses: {clean}"
        raise PowerError(reason, hint=_REACH, passing=True)
