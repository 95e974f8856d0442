# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a machine shows that it runs, before somebody powers it off by mistake."""

from __future__ import annotations

import socket

_PORT = 22
_PATIENCE_S = 3.0


def sign(address: str, *, port: int = _PORT) -> str:
    """Return what shows that the machine of this address runs; empty if nothing does.

    A refused connection is a sign as good as an open one: somebody is there to refuse.
    """
    try:
        with socket.create_connection((address, port), timeout=_PATIENCE_S):
            return f"{address} answers on port {port}"
    except ConnectionRefusedError:
        return f"{address} answers, though not on port {port}"
    except OSError:
        return ""
