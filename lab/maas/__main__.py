# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m lab.maas``: serve until killed, on all addresses of the namespace."""

from . import API_KEY, LOG, PORT
from .machines import LabPower, Machines
from .oauth import ApiKey, Verifier
from .server import Server

LOG.parent.mkdir(parents=True, exist_ok=True)
Server(
    ("0.0.0.0", PORT),
    machines=Machines(LabPower()),
    verifier=Verifier(ApiKey.parse(API_KEY)),
    log=LOG,
).serve_forever()
