# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A real Redfish controller, by OpenStack's sushy-tools; its one system is a host of the lab.

It is spoken to as a new controller is: by TLS with a certificate that nobody else signed, and
with basic authentication.
"""

import datetime
import ipaddress
import pathlib
import sys
import threading

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver

from lab import host
from lab.host import Host

from . import PASSWORD, PORTS, USER, address, certificate

_RESETS = {"On": ("On", host.power_on), "ForceOff": ("Off", host.kill)}
_SWITCH_S = 0.3
"""From an order, which is answered at once, to what it does."""
_CHEAPEST = 4
"""Rounds of bcrypt; a request would else cost more of the processor than the rest of a fence."""


class HostPower(fakedriver.FakeDriver):
    """A system that sushy-tools makes up, but for its power: that is the host's."""

    def get_power_state(self, identity: str) -> str:
        """Say whether the host has power."""
        return "On" if host.is_on(self._host(identity)) else "Off"

    def set_power_state(self, identity: str, state: str) -> None:
        """Press the power button, or cut the power, in a moment."""
        if state not in _RESETS:
            raise error.NotSupportedError(f"{state} is not supported")
        goal, switch = _RESETS[state]
        if self.get_power_state(identity) != goal:
            threading.Timer(_SWITCH_S, switch, [self._host(identity)]).start()

    def _host(self, identity: str) -> Host:
        return host.host(self._get(identity)["name"])


def serve(of: Host) -> None:
    """Be the controller of a host."""
    file = certificate(of)
    file.parent.mkdir(parents=True, exist_ok=True)
    key = _ensure_certificate(file, address=address(of))
    users = file.with_name("users")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(_CHEAPEST))
    users.write_text(f"{USER}:{hashed.decode()}\n")
    emulator.fakedriver.FakeDriver = HostPower
    emulator.app.configure(
        extra_config={
            "SUSHY_EMULATOR_AUTH_FILE": users,
            "SUSHY_EMULATOR_STATE_DIR": file.parent,
            "SUSHY_EMULATOR_FAKE_DRIVER": True,
            "SUSHY_EMULATOR_FAKE_SYSTEMS": [{"uuid": of.uuid, "name": of.name, "nics": []}],
        }
    )
    emulator.app.run(host=address(of), port=PORTS["redfish"], ssl_context=(file, key))


def _ensure_certificate(file: pathlib.Path, *, address: str) -> pathlib.Path:
    """Make *file* hold a certificate for an address, and return the file of its key."""
    key_file = file.with_name("key.pem")
    if file.exists():
        return key_file
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(tz=datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem, bare = serialization.Encoding.PEM, serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, bare))
    file.write_bytes(made.public_bytes(pem))
    return key_file


if __name__ == "__main__":
    serve(host.host(sys.argv[1]))
