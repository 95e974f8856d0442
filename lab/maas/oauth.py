# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""OAuth 1 with PLAINTEXT signatures: how every client of MAAS proves that it holds an API key."""

import dataclasses
import hmac
import re
import threading
import urllib.parse

_PARAMETER = re.compile(r'\s*(\w+)="([^"]*)"\s*')
_CLOCK_SKEW_S = 300
_REMEMBERED = 10_000


class UnauthorizedError(Exception):
    """The request does not prove that its sender holds the API key; the text is MAAS's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A MAAS API key, as users copy it: ``consumer:token:secret``."""

    consumer: str
    token: str
    secret: str = dataclasses.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ApiKey":
        """Return the key that *text* spells."""
        consumer, token, secret = text.split(":")
        return cls(consumer=consumer, token=token, secret=secret)


class Verifier:
    """Judges the ``Authorization`` headers of one server's life."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key
        self._nonces: dict[tuple[str, str], None] = {}
        self._lock = threading.Lock()

    def verify(self, header: str | None, *, now_s: float) -> None:
        """Return if *header* proves that its sender holds the key, now and for the first time.

        Args:
            header: The ``Authorization`` header, or None if the request has none.
            now_s: Seconds since 1970.

        Raises:
            UnauthorizedError: if it does not.
        """
        said = _parse(header)
        if said.get("oauth_version", "1.0") != "1.0":
            raise UnauthorizedError("Authorization Error: OAuth version not supported.")
        if said.get("oauth_signature_method") != "PLAINTEXT":
            raise UnauthorizedError("Authorization Error: Signature method not supported.")
        self._check_key(said)
        self._check_time(said, now_s=now_s)
        self._check_nonce(said)

    def _check_key(self, said: dict[str, str]) -> None:
        # The consumer of a MAAS key has no secret: what is left is "&" and the token's.
        expected = {
            "oauth_consumer_key": self._key.consumer,
            "oauth_token": self._key.token,
            "oauth_signature": f"&{urllib.parse.quote(self._key.secret, safe='~')}",
        }
        for name, value in expected.items():
            if not hmac.compare_digest(said.get(name, "").encode(), value.encode()):
                raise UnauthorizedError("Authorization Error: Invalid API key.")

    def _check_time(self, said: dict[str, str], *, now_s: float) -> None:
        stamp = said.get("oauth_timestamp", "")
        if not stamp.isdigit() or abs(now_s - int(stamp)) > _CLOCK_SKEW_S:
            raise UnauthorizedError("Authorization Error: Expired timestamp.")

    def _check_nonce(self, said: dict[str, str]) -> None:
        nonce = (said["oauth_timestamp"], said.get("oauth_nonce", ""))
        with self._lock:
            if not nonce[1] or nonce in self._nonces:
                raise UnauthorizedError("Authorization Error: Nonce already used.")
            self._nonces[nonce] = None
            while len(self._nonces) > _REMEMBERED:
                del self._nonces[next(iter(self._nonces))]


def _parse(header: str | None) -> dict[str, str]:
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() != "oauth":
        raise UnauthorizedError("Unrecognised signature: no OAuth authorization header.")
    parts = (_PARAMETER.fullmatch(part) for part in rest.split(","))
    return {part[1]: urllib.parse.unquote(part[2]) for part in parts if part}
