# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A MAAS client that signs with oauthlib, as MAAS's own clients do; not with code of ours."""

import contextlib
import http.client
import json
import urllib.parse

from oauthlib import oauth1

from lab import network


class MaasClient:
    """Asks as a fencing client does."""

    def __init__(self, host, port, *, key, netns=None):
        self.host = host
        self.port = port
        self.key = key
        self.netns = netns

    def ask(self, method, path, *, form=None, header=None, timeout_s=5):
        """Return status and body; *header* replaces the signature, an empty one leaves it out."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        with network.inside(self.netns) if self.netns else contextlib.nullcontext():
            connection.connect()
        body = urllib.parse.urlencode(form) if form else None
        headers = {} if header == "" else {"Authorization": header or self.sign()}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, f"/MAAS/api/2.0{path}", body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer.status, json.loads(text) if is_json else text

    def sign(self, timestamp=None):
        """Return the header of a request made now, or then."""
        consumer, token, secret = self.key.split(":")
        signer = oauth1.Client(
            consumer,
            client_secret="",
            resource_owner_key=token,
            resource_owner_secret=secret,
            signature_method=oauth1.SIGNATURE_PLAINTEXT,
            timestamp=timestamp,
        )
        return signer.sign("http://maas/")[1]["Authorization"]

    def state(self, host):
        """Return the power state of a host's machine, asked of its controller."""
        return self.ask("GET", f"/machines/sys-{host}/op-query_power_state")[1]["state"]
