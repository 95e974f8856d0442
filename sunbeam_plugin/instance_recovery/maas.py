# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What MAAS says of its machines' power; asks only, switches nothing.

Sunbeam's own client of MAAS has no power queries, so this is a small one of our own.
"""

from __future__ import annotations

import concurrent.futures
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from .errors import InstanceRecoveryError

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 16
"""Power queries under way; each holds a worker of MAAS for as long as the BMC takes."""
QUERY_TIMEOUT_S = 65.0
"""MAAS itself gives a BMC up to 60 s."""


class MaasError(InstanceRecoveryError):
    """MAAS did not answer what was asked."""


class MaasRefusedError(MaasError):
    """MAAS knows the key, or does not, and does not let it do this."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine of MAAS."""

    system_id: str
    hostname: str
    fqdn: str
    power_type: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose key it is."""

    name: str
    is_admin: bool


@dataclass(frozen=True, kw_only=True)
class Power:
    """What came of one power query: a state, or why there is none."""

    state: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Maas:
    """The API of one MAAS."""

    url: str
    key: str = field(repr=False)
    ca: str | None = None

    def account(self) -> Account:
        """Return whose key it is; raises MaasError."""
        answer = self._get("users/?op=whoami")
        return Account(
            name=str(answer.get("username", "")), is_admin=bool(answer.get("is_superuser"))
        )

    def machines(self) -> tuple[Machine, ...]:
        """Return all that the account may see; raises MaasError."""
        return tuple(
            Machine(
                system_id=str(found.get("system_id", "")),
                hostname=str(found.get("hostname", "")),
                fqdn=str(found.get("fqdn", "")),
                power_type=str(found.get("power_type") or ""),
            )
            for found in self._list("machines/")
        )

    def power(self, system_ids: Sequence[str]) -> dict[str, Power]:
        """Return what each machine's controller answers now, some asked at the same time."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            return dict(zip(system_ids, pool.map(self._power, system_ids), strict=True))

    def _power(self, system_id: str) -> Power:
        try:
            answer = self._get(f"machines/{system_id}/?op=query_power_state")
        except MaasError as error:
            return Power(error=str(error))
        return Power(state=str(answer.get("state", "")))

    def _get(self, path: str) -> dict[str, object]:
        answer = self._ask(path)
        if not isinstance(answer, dict):
            raise MaasError(f"{self.url} is no MAAS: it answered a list")
        return cast("dict[str, object]", answer)

    def _list(self, path: str) -> list[dict[str, object]]:
        answer = self._ask(path)
        if not isinstance(answer, list):
            raise MaasError(f"{self.url} is no MAAS: it answered no list")
        return cast("list[dict[str, object]]", answer)

    def _ask(self, path: str) -> object:
        address = f"{self.url.rstrip('/')}/api/2.0/{path}"
        request = urllib.request.Request(  # noqa: S310 - settings take http and https only
            address, headers={"Authorization": self._signature(), "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=QUERY_TIMEOUT_S, context=self._tls()
            ) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise MaasError(f"{self.url} does not answer as MAAS does: {reason}") from error

    def _tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cadata=self.ca) if self.ca else None

    def _signature(self) -> str:
        consumer, token, secret = self.key.split(":")
        fields = {
            "oauth_version": "1.0",
            "oauth_signature_method": "PLAINTEXT",
            "oauth_consumer_key": consumer,
            "oauth_token": token,
            "oauth_signature": f"&{secret}",
            "oauth_nonce": uuid.uuid4().hex,
            "oauth_timestamp": str(int(time.time())),
        }
        return "OAuth " + ", ".join(
            f'{name}="{urllib.parse.quote(value, safe="")}"' for name, value in fields.items()
        )


def _refusal(error: urllib.error.HTTPError) -> MaasError:
    if error.code == 401:
        return MaasRefusedError("MAAS does not know the key (401)")
    if error.code == 403:
        return MaasRefusedError("MAAS does not let this key do it (403)")
    try:
        detail = error.read(300).decode(errors="replace").strip()
    except OSError:
        detail = ""
    return MaasError(f"MAAS answered {error.code}{': ' * bool(detail)}{detail}")
