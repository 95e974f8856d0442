# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung Redfish: the few calls of DMTF's DSP0266 that a fence needs, straight to the BMC.

Four resources are asked for, so this speaks plain HTTP rather than bring a client library and its
dependencies into Masakari's container. Basic authentication is the default: every service has it,
and a session that a killed engine leaves behind would take one of the few that a BMC allows.
"""

from __future__ import annotations

import base64
import contextlib
import http
import tempfile
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import requests.adapters

from instance_ha.ladder import Rung
from masakari_instance_ha.fencing import bmc, web
from masakari_instance_ha.fencing.power import PowerError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Generator

    from masakari_instance_ha.fencing.bmc import Bmc

_ROOT = "/redfish/v1"
_CREDENTIALS = "Update the secret of hacluster-shim's option bmc-credentials"
_ADVICE = {
    401: ("the BMC refuses user and password", _CREDENTIALS),
    403: ("the BMC's user may not do this", "Give it the role Operator at the BMC"),
    404: ("the BMC has no such resource", "Set the host's system in bmc-credentials"),
}
_NOTHING_TO_DO = frozenset({http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.CONFLICT})
"""What BMCs answer to a reset into the state that they are in."""


@dataclass(frozen=True, kw_only=True)
class Redfish:
    """The way to the hosts' BMCs; the file is read anew for every host."""

    file: pathlib.Path
    timeout_s: float

    @contextlib.contextmanager
    def reach(self, host: str) -> Generator[RedfishSwitch]:
        """Give the switch of the host."""
        access = bmc.find(host, kind=Rung.REDFISH, file=self.file)
        with _session(access) as session:
            service = _Service(session, access, timeout_s=self.timeout_s)
            with service.logged_in():
                yield RedfishSwitch(service, access.system or service.only_system())


class RedfishSwitch:
    """The power of one system of a BMC; implements :class:`~.power.Switch`."""

    def __init__(self, service: _Service, system: str) -> None:
        self._service = service
        self._system = system
        self.target = f"{service.name}{system}"

    def off(self, *, comment: str) -> bool:  # noqa: ARG002 - Redfish has no place for it
        """Order the power off, hard; return whether the BMC took the order."""
        return self._reset("ForceOff")

    def on(self) -> None:
        """Order the power on."""
        self._reset("On")

    def state(self) -> str:
        """Return what the BMC says now, for example ``off`` or ``poweringoff``."""
        return str(self._service.get(self._system).get("PowerState")).lower()

    def _reset(self, kind: str) -> bool:
        actions = self._service.get(self._system).get("Actions")
        reset = actions.get("#ComputerSystem.Reset") if isinstance(actions, dict) else None
        goal = reset.get("target") if isinstance(reset, dict) else None
        usual = f"{self._system.rstrip('/')}/Actions/ComputerSystem.Reset"
        try:
            self._service.post(goal if isinstance(goal, str) else usual, {"ResetType": kind})
        except PowerError as error:
            if error.status in _NOTHING_TO_DO:
                return False
            raise
        return True


class _Service:
    """A short conversation with one BMC, by one thread."""

    def __init__(self, session: requests.Session, access: Bmc, *, timeout_s: float) -> None:
        self._session = session
        self._access = access
        self._base = _base(access.address)
        self.name = web.shown(self._base)
        self._manners = web.Manners(
            name=f"the BMC at {self.name}",
            timeout_s=timeout_s,
            reach_hint="Check that masakari-engine's network reaches the BMC",
            trust_hint="Give its ca or fingerprint in bmc-credentials",
            secrets=(access.password,),
        )

    @contextlib.contextmanager
    def logged_in(self) -> Generator[None]:
        """Be let in while the block lasts."""
        user, password = self._access.username, self._access.password
        if self._access.login == "basic":
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._session.headers["Authorization"] = f"Basic {token}"
            yield
            return
        place = f"{_ROOT}/SessionService/Sessions"
        answer = self._ask("POST", place, json={"UserName": user, "Password": password})
        token = answer.headers.get("x-auth-token")
        if not token:
            reason = f"{self._manners.name} opens no session"
            raise PowerError(reason, hint="Try login: basic in bmc-credentials", passing=False)
        self._session.headers["X-Auth-Token"] = token
        try:
            yield
        finally:
            with contextlib.suppress(PowerError):
                self._ask("DELETE", answer.headers.get("location", place))

    def get(self, path: str) -> dict[str, Any]:
        """Return a resource; empty where the BMC answers with something else."""
        said = self._ask("GET", path).json()
        return said if isinstance(said, dict) else {}

    def post(self, path: str, what: dict[str, str]) -> None:
        """Carry out an action."""
        self._ask("POST", path, json=what)

    def only_system(self) -> str:
        """Return the path of the one system that the BMC has.

        Raises:
            PowerError: if it has none or several, for the wrong one would be switched off.
        """
        members = self.get(f"{_ROOT}/Systems").get("Members")
        listed: list[Any] = members if isinstance(members, list) else []
        paths = [str(m["@odata.id"]) for m in listed if isinstance(m, dict) and "@odata.id" in m]
        if len(paths) != 1:
            reason = f"{self._manners.name} has {len(paths)} systems: {', '.join(paths[:5])}"
            hint = "Set the host's system in bmc-credentials"
            raise PowerError(reason, hint=hint, passing=False)
        return paths[0]

    def _ask(self, method: str, path: str, *, json: dict[str, str] | None = None) -> web.Answer:
        """Return the BMC's answer; a path that it names is one of its own, never another host."""
        url = self._base + urllib.parse.urlsplit(path).path
        question = web.Question(method=method, url=url, json=json)
        answer = web.ask(self._session, question, manners=self._manners)
        if answer.redirects:
            raise answer.redirected()
        if not answer.ok:
            fact, hint = _ADVICE.get(answer.status, ("the BMC refuses", "Look at the BMC's log"))
            raise PowerError(
                f"{fact}: HTTP {answer.status}, {answer.text!r}",
                hint=hint,
                passing=answer.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR,
                status=answer.status,
            )
        return answer


class _Pinned(requests.adapters.HTTPAdapter):
    """Trusts one certificate by its fingerprint, whoever signed it."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as theirs
        """Make a pool that compares the fingerprint."""
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)


@contextlib.contextmanager
def _session(access: Bmc) -> Generator[requests.Session]:
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(requests.Session())
        session.trust_env = False  # neither a proxy nor a netrc of somebody else's
        session.headers["Accept"] = "application/json"
        if access.fingerprint:
            session.verify = False  # the fingerprint says more than a signature
            session.mount("https://", _Pinned(access.fingerprint))
        elif access.ca:
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".pem"))
            file.write(access.ca)
            file.flush()
            session.verify = file.name
        yield session


def _base(address: str) -> str:
    """Return scheme, host and port of a BMC."""
    url = address if "://" in address else f"https://{address}"
    return url.rstrip("/")
