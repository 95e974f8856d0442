# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One HTTP question to a power controller that may be slow, wrong, or not one at all.

The whole exchange has a deadline and a size: a timeout of the library counts anew with each byte,
and a server that sends one byte a second would hold up a recovery for hours.
"""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import requests
from requests.utils import to_native_string

from masakari_instance_ha.aside import Aside
from masakari_instance_ha.fencing.power import PowerError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LIMIT_BYTES = 4 << 20
"""More than any answer that fencing asks for; MAAS takes about 50 kB to show a machine."""
_TEXT_LENGTH = 200
_CHUNK_BYTES = 65_536
_PROVING = ("Authorization", "X-Auth-Token")


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How the server of one conversation is spoken to, and spoken of."""

    name: str
    """For messages, for example ``MAAS at http://10.0.0.5:5240/MAAS``."""
    timeout_s: float
    """Of a whole question, from the connection to the last byte of its answer."""
    reach_hint: str
    """What to do if it cannot be reached."""
    trust_hint: str
    """What to do if its certificate is not trusted."""
    secrets: Collection[str]
    """What no message may show, whoever says it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, within its limits."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    manners: Manners

    @property
    def redirects(self) -> bool:
        """Whether the server sends us elsewhere."""
        return 300 <= self.status < 400

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The beginning of the body on one line, without any secret that it may repeat."""
        text = " ".join(self.body.decode(errors="replace").split())
        for secret in self.manners.secrets:
            for spelt in {secret, urllib.parse.quote(secret, safe="")}:
                text = text.replace(spelt, "***")
        return "".join(c for c in text if c.isprintable())[:_TEXT_LENGTH]

    def json(self) -> object:
        """Return what the body says.

        Raises:
            PowerError: if it is no JSON, as that of a proxy's error page.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            reason = f"what answers is no {self.manners.name}: {self.text!r}"
            raise PowerError(reason, hint=self.manners.reach_hint, passing=True) from error

    def redirected(self) -> PowerError:
        """Return the refusal to follow: credentials go nowhere but to the configured address."""
        goal = shown(self.headers.get("location", "an unknown place"))
        reason = f"{self.manners.name} sends us elsewhere: HTTP {self.status} to {goal}"
        return PowerError(reason, hint="Set its address to that one", passing=False)


def shown(url: str) -> str:
    """Return *url* as messages may show it: without user, password and query."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return "".join(c for c in bare.geturl() if c.isprintable())[:_TEXT_LENGTH]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, besides the credentials that the session has."""

    method: str
    url: str
    query: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    json: Mapping[str, str] | None = None


def ask(session: requests.Session, question: Question, *, manners: Manners) -> Answer:
    """Return the server's answer, whatever its status; redirects are answers, too.

    Raises:
        PowerError: if there is no complete answer within the time and the size.
    """
    asking = Aside(
        lambda: _exchange(session, question, manners=manners), name=f"ask {question.method}"
    )
    if not asking.wait(within_s=manners.timeout_s):
        raise _late(manners)
    try:
        return asking.result()
    except requests.exceptions.SSLError as error:
        reason = f"there is no trusted TLS connection to {manners.name}"
        raise PowerError(reason, hint=manners.trust_hint, passing=False) from error
    except requests.exceptions.Timeout as error:
        raise _late(manners) from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        reason = f"the address of {manners.name} is none"
        raise PowerError(reason, hint="Correct it: http(s)://HOST/...", passing=False) from error
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        reason = f"{manners.name} cannot be reached: {type(error).__name__}"
        raise PowerError(reason, hint=manners.reach_hint, passing=True) from error


def _exchange(session: requests.Session, question: Question, *, manners: Manners) -> Answer:
    with session.request(
        question.method,
        question.url,
        params=question.query,
        data=question.form,
        json=question.json,
        timeout=manners.timeout_s,
        allow_redirects=False,
        stream=True,
    ) as response:
        body = b""
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > LIMIT_BYTES:
                reason = f"{manners.name} answers with more than {LIMIT_BYTES >> 20} MiB"
                raise PowerError(reason, hint=manners.reach_hint, passing=True)
        return Answer(
            status=response.status_code,
            headers={key.lower(): value for key, value in response.headers.items()},
            body=body,
            manners=replace(manners, secrets=(*manners.secrets, *_sent(response.request))),
        )


def _sent(request: requests.PreparedRequest) -> list[str]:
    """Return what proved in a request who we are, in the form in which it was sent."""
    values = (request.headers.get(name) or "" for name in _PROVING)
    return [to_native_string(value).rpartition(" ")[2] for value in values if value]


def _late(manners: Manners) -> PowerError:
    reason = f"{manners.name} did not answer in {manners.timeout_s:g} s"
    return PowerError(reason, hint=manners.reach_hint, passing=True)
