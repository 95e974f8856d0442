# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Calls of OpenStack's APIs with a Keystone account: one token, one catalogue, bounded waits."""

from __future__ import annotations

import datetime
import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from hypervisor_instance_ha.errors import (
    CloudRefusedError,
    CloudUnreachableError,
    ServiceUnknownError,
)
from hypervisor_instance_ha.settings import Login

TIMEOUT_S = 10.0
"""Of one call; Masakari's API may wait up to 5 s by itself before it takes a notification."""

MOST_BYTES = 32 * 1024 * 1024
_SPARE_S = 60.0
"""A token is renewed this long before it ends."""
_CATALOGUE_S = 60.0
"""A catalogue of this age is read anew when a service of it does not answer: it may have moved."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """What Keystone gave us: the right to call, and where."""

    text: str
    since_s: float
    """On the monotonic clock; Keystone's clock need not be ours."""
    ends_s: float
    """Likewise."""
    catalogue: list[dict[str, Any]]


class _NoRedirect(urllib.request.HTTPErrorProcessor):
    """A token goes to the endpoints of the catalogue and nowhere else."""

    def http_response(
        self, request: urllib.request.Request, response: http.client.HTTPResponse
    ) -> http.client.HTTPResponse:
        """Make an error of a redirection."""
        if 300 <= response.status < 400:
            raise urllib.error.HTTPError(
                request.full_url, response.status, "redirected", response.headers, response
            )
        return super().http_response(request, response)

    https_response = http_response


class Session:
    """Speak to the services of one cloud; may be used by several threads."""

    def __init__(self, login: Login, *, timeout_s: float = TIMEOUT_S) -> None:
        self._login = login
        self._timeout_s = timeout_s
        self._token: Token | None = None
        self._lock = threading.Lock()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # the control plane is near; no proxy is asked
            urllib.request.HTTPSHandler(context=self._trust()),
            _NoRedirect(),
        )

    def call(
        self,
        doing: str,
        *,
        service: str,
        path: str,
        method: str = "GET",
        body: object = None,
        version: str = "",
    ) -> Any:  # noqa: ANN401 - JSON of another program
        """Call a service and return its JSON; *doing* completes "cannot ..." in an error.

        A token that the service does not take any more is renewed once. The catalogue comes with
        the token, so both are renewed for the next call when a service does not answer.

        Raises:
            CloudRefusedError: if it declined: 4xx, apart from 401 and 429.
            ServiceUnknownError: if the catalogue does not have it.
            CloudUnreachableError: if it did not answer in time, or failed.
        """
        headers = {"OpenStack-API-Version": version} if version else {}
        for attempt in (1, 2):
            token = self._valid_token()
            url = self._endpoint(token, service) + path
            try:
                answer, _ = self._send(
                    doing, url, method, body, headers | {"X-Auth-Token": token.text}
                )
            except _TokenRefusedError as error:
                self._forget(token)
                if attempt == 2:
                    raise CloudUnreachableError(
                        f"{error}; check its [keystone_authtoken]"
                    ) from error
            except CloudUnreachableError:
                if time.monotonic() - token.since_s >= _CATALOGUE_S:
                    self._forget(token)
                raise
            else:
                return answer
        raise AssertionError("unreachable")

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._login.cafile:
            try:
                context.load_verify_locations(self._login.cafile)
            except OSError as error:
                raise CloudUnreachableError(
                    f"cannot trust {self._login.cafile}: {error}; look at receive-ca-cert"
                ) from error
        return context

    def _valid_token(self) -> Token:
        with self._lock:
            if self._token is None or self._token.ends_s < time.monotonic():
                self._token = self._log_in()
            return self._token

    def _forget(self, token: Token) -> None:
        with self._lock:
            if self._token is token:
                self._token = None

    def _log_in(self) -> Token:
        said = self._login
        base = said.auth_url.rstrip("/")
        base = base if base.endswith("/v3") else f"{base}/v3"
        user = {
            "name": said.username,
            "password": said.password,
            "domain": {"name": said.user_domain},
        }
        project = {"name": said.project, "domain": {"name": said.project_domain}}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": project},
            }
        }
        try:
            answer, text = self._send("log in", f"{base}/auth/tokens", "POST", body, {})
        except (_TokenRefusedError, CloudRefusedError) as error:
            raise CloudUnreachableError(
                f"keystone declines the account {said.username}: {error}; it may be about to be "
                "rotated, else look at identity-credentials"
            ) from error
        try:
            token = answer["token"]
            ends = datetime.datetime.fromisoformat(token["expires_at"])
            issued = datetime.datetime.fromisoformat(token["issued_at"])
            lives_s = (ends - issued).total_seconds()
            catalogue = list(token["catalog"])
        except (KeyError, TypeError, ValueError) as error:
            raise CloudUnreachableError(
                f"keystone's answer has no usable token: {error!r}; is {base} Keystone?"
            ) from error
        now_s = time.monotonic()
        ends_s = now_s + max(lives_s - _SPARE_S, lives_s / 2)
        return Token(text=text, since_s=now_s, ends_s=ends_s, catalogue=catalogue)

    def _endpoint(self, token: Token, service: str) -> str:
        said = self._login
        for entry in token.catalogue:
            if entry.get("type") != service:
                continue
            for endpoint in entry.get("endpoints", ()):
                here = said.region in ("", endpoint.get("region"))
                if here and endpoint.get("interface") == said.interface:
                    return str(endpoint["url"]).rstrip("/")
        self._forget(token)  # the next one may bring a newer catalogue
        raise ServiceUnknownError(
            f"the catalogue has no {said.interface} endpoint of {service} in region "
            f"{said.region or 'any'}; look at `openstack catalog list`"
        )

    def _send(
        self, doing: str, url: str, method: str, body: object, headers: dict[str, str]
    ) -> tuple[Any, str]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - from the catalogue
            url, data=data, method=method, headers={"Content-Type": "application/json"} | headers
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                text = answer.headers.get("X-Subject-Token", "")
                content = answer.read(MOST_BYTES)
                return (json.loads(content) if content else None), text
        except urllib.error.HTTPError as error:
            raise _refusal(doing, error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error or type(error).__name__
            raise CloudUnreachableError(
                f"cannot {doing}: {url.partition('?')[0]} did not answer: {reason}; "
                "check the network and the service"
            ) from error


class _TokenRefusedError(Exception):
    """401: the token, or the password, is not taken any more."""


def _refusal(doing: str, error: urllib.error.HTTPError) -> Exception:
    """Return what an answer of 300 and above means."""
    try:
        reason = " ".join(error.read(4096).decode(errors="replace").split())[:300]
    except (OSError, http.client.HTTPException):
        reason = str(error.reason)
    if error.code == http.HTTPStatus.UNAUTHORIZED:
        return _TokenRefusedError(f"cannot {doing}: HTTP 401, {reason}")
    again = error.code in (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS)
    if 400 <= error.code < 500 and not again:
        return CloudRefusedError(doing, status=error.code, reason=reason)
    return CloudUnreachableError(f"cannot {doing}: HTTP {error.code}, {reason}")
