# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of MAAS's API that fencing needs; its failures are translated here and only here."""

from __future__ import annotations

import http
import logging
import re
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests_oauthlib

from masakari_instance_ha.fencing import web
from masakari_instance_ha.fencing.power import PowerError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    import requests

    from masakari_instance_ha.fencing.targets import Target

OLDEST = (3, 0)
"""The oldest MAAS whose answers this was written for."""
_RENEW = "Update the Juju secret that holds the API key: juju update-secret ID api-key#file=PATH"
_REACH = "Check that MAAS runs and that this unit reaches it: instance-ha fence check HOST"
_ADVICE = {
    401: ("MAAS refuses the API key", _RENEW),
    403: ("the API key's user may not do this", "Use the key of a MAAS administrator"),
    404: ("MAAS does not know the machine", "Compare the system id with maas machines read"),
    503: ("MAAS is busy or cannot reach the BMC", "Look at the machine's power events in MAAS"),
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where MAAS is, and how to be let in."""

    url: str
    """With its path, for example ``http://10.0.0.5:5240/MAAS``."""
    credentials: pathlib.Path
    """File that holds ``consumer:token:secret``; never its content."""
    ca: pathlib.Path | None
    timeout_s: float


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What MAAS says of a machine, as far as fencing asks."""

    system_id: str
    power_type: str
    """Empty or ``manual`` where MAAS cannot switch it."""


class MaasApi:
    """A short conversation with MAAS, by one thread; the key is read as it begins."""

    def __init__(self, access: Access) -> None:
        self._root = access.url.rstrip("/") + "/api/2.0/"
        key = _key(access)
        self._session = _session(key, ca=access.ca)
        self._manners = web.Manners(
            name=f"MAAS at {web.shown(access.url)}",
            timeout_s=access.timeout_s,
            reach_hint=_REACH,
            trust_hint="Give hacluster-shim the CA that signed it",
            secrets=(":".join(key), key[2], key[1]),
        )

    def __enter__(self) -> Self:
        """Begin the conversation."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and forget the key."""
        self._session.close()

    def require_version(self) -> str:
        """Return the version of MAAS.

        Raises:
            PowerError: if it is older than what this was written for, or what answers is no MAAS.
        """
        answer = self._call("GET", "version/")
        version = str(answer.get("version")) if isinstance(answer, dict) else "unknown"
        found = re.match(r"(\d+)\.(\d+)", version)
        if found is None:
            reason = f"{self._manners.name} does not say its version"
            raise PowerError(reason, hint=_REACH, passing=False)
        if (int(found[1]), int(found[2])) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            reason = f"{self._manners.name} is version {version}, older than {oldest}"
            raise PowerError(reason, hint="Upgrade MAAS", passing=False)
        return version

    def machines(self, target: Target) -> Sequence[Machine]:
        """Return the machines that a target may mean, exactly one if it is clear.

        The system id decides; where MAAS does not know it, the full name, else the host name.
        """
        if target.system_id:
            try:
                answer = self._call("GET", f"machines/{_quoted(target.system_id)}/")
            except PowerError as error:
                if error.status != http.HTTPStatus.NOT_FOUND:
                    raise
            else:
                said: dict[str, Any] = answer if isinstance(answer, dict) else {}
                return [_machine(said | {"system_id": target.system_id})]
        label = target.hostname or target.fqdn.partition(".")[0]
        if not label:
            return []
        answer = self._call("GET", "machines/", query={"hostname": label})
        listed: list[Any] = answer if isinstance(answer, list) else []
        found = [one for one in listed if isinstance(one, dict) and one.get("system_id")]
        exact = [machine for machine in found if _same(machine.get("fqdn"), target.fqdn)]
        named = [machine for machine in found if _same(machine.get("hostname"), label)]
        return [_machine(machine) for machine in exact or named]

    def power_off(self, system_id: str, *, comment: str) -> bool:
        """Order the power off, hard; return whether MAAS had anything to do."""
        form = {"stop_mode": "hard", "comment": comment}
        answer = self._call("POST", f"machines/{_quoted(system_id)}/op-power_off", form=form)
        return answer is not None

    def power_on(self, system_id: str) -> None:
        """Order the power on; MAAS does so only for a machine that is allocated."""
        form = {"comment": "instance HA: the recovery is over"}
        self._call("POST", f"machines/{_quoted(system_id)}/op-power_on", form=form)

    def power_state(self, system_id: str) -> str:
        """Return what the BMC answers now: ``on``, ``off``, ``unknown`` or ``error``."""
        answer: Any = self._call("GET", f"machines/{_quoted(system_id)}/op-query_power_state")
        return str(answer.get("state")) if isinstance(answer, dict) else "unknown"

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> object:
        """Return what the JSON of the answer holds; None is an answer, too."""
        question = web.Question(method=method, url=self._root + path, query=query, form=form)
        answer = web.ask(self._session, question, manners=self._manners)
        if answer.redirects:
            raise answer.redirected()
        if not answer.ok:
            raise _refused(answer)
        return answer.json()


def _key(access: Access) -> tuple[str, str, str]:
    try:
        parts = access.credentials.read_text(encoding="utf-8").strip().split(":")
    except OSError as error:
        reason = f"the file of the MAAS API key cannot be read: {error.strerror}"
        raise PowerError(reason, hint=_RENEW, passing=False) from error
    if len(parts) != 3 or not all(parts):
        reason = "the MAAS API key has not the form consumer:token:secret"
        raise PowerError(reason, hint=_RENEW, passing=False)
    return parts[0], parts[1], parts[2]


def _session(key: tuple[str, str, str], *, ca: pathlib.Path | None) -> requests.Session:
    """Return a session that signs every request."""
    # These two log every signed header at debug level, and the PLAINTEXT signature is the secret.
    for library in ("oauthlib", "requests_oauthlib"):
        logging.getLogger(library).setLevel(logging.WARNING)
    session = requests_oauthlib.OAuth1Session(
        key[0],
        client_secret="",
        resource_owner_key=key[1],
        resource_owner_secret=key[2],
        signature_method="PLAINTEXT",
    )
    session.headers["Accept"] = "application/json"
    session.trust_env = False  # a stray proxy variable must not send orders elsewhere
    if ca is not None:
        session.verify = str(ca)
    return session


def _refused(answer: web.Answer) -> PowerError:
    status = answer.status
    fact, hint = _ADVICE.get(status, ("MAAS refuses", "See MAAS's regiond.log"))
    passing = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status == http.HTTPStatus.CONFLICT
    reason = f"{fact}: HTTP {status}, {answer.text!r}"
    return PowerError(reason, hint=hint, passing=passing, status=status)


def _machine(said: Mapping[str, Any]) -> Machine:
    """Return what MAAS says; a power type that it does not say is taken for a usable one."""
    return Machine(
        system_id=str(said["system_id"]), power_type=str(said.get("power_type", "unsaid"))
    )


def _quoted(system_id: str) -> str:
    return urllib.parse.quote(system_id, safe="")


def _same(one: object, other: str) -> bool:
    return bool(other) and str(one).lower() == other.lower()
