# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of MAAS's API that fencing needs; its failures are translated here and only here."""

from __future__ import annotations

import http
import logging
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import requests_oauthlib

from instance_ha.errors import InstanceHaError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from masakari_instance_ha.fencing.targets import Target

_TEXT_LENGTH = 200
_RENEW = "Update the Juju secret that holds the API key: juju update-secret ID api-key#file=PATH"
_REACH = "Check that MAAS runs and that this unit reaches it: instance-ha fence check HOST"
_ADVICE = {
    401: ("MAAS refuses the API key", _RENEW),
    403: ("the API key's user may not do this", "Use the key of a MAAS administrator"),
    404: ("MAAS does not know the machine", "Compare the system id with maas machines read"),
    503: ("MAAS is busy or cannot reach the BMC", "Look at the machine's power events in MAAS"),
}


class MaasError(InstanceHaError):
    """MAAS did not do what it was asked for."""

    def __init__(self, reason: str, *, hint: str, passing: bool, status: int = 0) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint
        self.passing = passing
        """Whether the same question may be answered a moment later."""
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where MAAS is, and how to be let in."""

    url: str
    """With its path, for example ``http://10.0.0.5:5240/MAAS``."""
    credentials: pathlib.Path
    """File that holds ``consumer:token:secret``; never its content."""
    ca: pathlib.Path | None
    timeout_s: float


class MaasApi:
    """A short conversation with MAAS, by one thread; the key is read as it begins."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._root = access.url.rstrip("/") + "/api/2.0/"
        self._session = _session(access)

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

    def machines(self, target: Target) -> Sequence[str]:
        """Return the system ids that a target may mean, exactly one if it is clear.

        The system id decides; where MAAS does not know it, the full name, else the host name.
        """
        if target.system_id:
            try:
                self._call("GET", f"machines/{_quoted(target.system_id)}/")
            except MaasError as error:
                if error.status != http.HTTPStatus.NOT_FOUND:
                    raise
            else:
                return [target.system_id]
        label = target.hostname or target.fqdn.partition(".")[0]
        if not label:
            return []
        answer = self._call("GET", "machines/", query={"hostname": label})
        found: list[Any] = answer if isinstance(answer, list) else []
        exact = [machine for machine in found if _same(machine.get("fqdn"), target.fqdn)]
        named = [machine for machine in found if _same(machine.get("hostname"), label)]
        return [str(machine["system_id"]) for machine in exact or named]

    def power_off(self, system_id: str, *, comment: str) -> bool:
        """Order the power off, hard; return whether MAAS had anything to do."""
        form = {"stop_mode": "hard", "comment": comment}
        answer = self._call("POST", f"machines/{_quoted(system_id)}/op-power_off", form=form)
        return answer is not None

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
        response = self._send(method, path, query=query, form=form)
        if not response.ok or response.is_redirect:
            raise _refused(response)
        try:
            return response.json()
        except requests.exceptions.JSONDecodeError as error:
            reason = f"what answers at {self._access.url} is no MAAS: {_text(response)!r}"
            raise MaasError(reason, hint=_REACH, passing=True) from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._root + path,
                params=query,
                data=form,
                timeout=self._access.timeout_s,
                allow_redirects=False,  # the key goes nowhere but to the configured address
            )
        except requests.exceptions.SSLError as error:
            reason = f"there is no trusted TLS connection to {self._access.url}"
            hint = "Give hacluster-shim the CA that signed it"
            raise MaasError(reason, hint=hint, passing=False) from error
        except requests.exceptions.Timeout as error:
            reason = f"MAAS at {self._access.url} did not answer in {self._access.timeout_s:g} s"
            raise MaasError(reason, hint=_REACH, passing=True) from error
        except requests.exceptions.RequestException as error:
            reason = f"MAAS at {self._access.url} cannot be reached: {type(error).__name__}"
            raise MaasError(reason, hint=_REACH, passing=True) from error


def _session(access: Access) -> requests.Session:
    """Return a session that signs every request with the key as it is now in its file."""
    # These two log every signed header at debug level, and the PLAINTEXT signature is the secret.
    for library in ("oauthlib", "requests_oauthlib"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        parts = access.credentials.read_text(encoding="utf-8").strip().split(":")
    except OSError as error:
        reason = f"the file of the MAAS API key cannot be read: {error.strerror}"
        raise MaasError(reason, hint=_RENEW, passing=False) from error
    if len(parts) != 3 or not all(parts):  # consumer, token, secret
        reason = "the MAAS API key has not the form consumer:token:secret"
        raise MaasError(reason, hint=_RENEW, passing=False)
    session = requests_oauthlib.OAuth1Session(
        parts[0],
        client_secret="",
        resource_owner_key=parts[1],
        resource_owner_secret=parts[2],
        signature_method="PLAINTEXT",
    )
    session.headers["Accept"] = "application/json"
    session.trust_env = False  # a stray proxy variable must not send orders elsewhere
    if access.ca is not None:
        session.verify = str(access.ca)
    return session


def _refused(response: requests.Response) -> MaasError:
    status = response.status_code
    if response.is_redirect:
        reason = f"MAAS sends us elsewhere: HTTP {status} to {response.headers['location']}"
        return MaasError(reason, hint="Set the MAAS URL to that address", passing=False)
    fact, hint = _ADVICE.get(status, ("MAAS refuses", "See MAAS's regiond.log"))
    passing = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status == http.HTTPStatus.CONFLICT
    reason = f"{fact}: HTTP {status}, {_text(response)!r}"
    return MaasError(reason, hint=hint, passing=passing, status=status)


def _text(response: requests.Response) -> str:
    return " ".join(response.text.split())[:_TEXT_LENGTH]


def _quoted(system_id: str) -> str:
    return urllib.parse.quote(system_id, safe="")


def _same(one: object, other: str) -> bool:
    return bool(other) and str(one).lower() == other.lower()
