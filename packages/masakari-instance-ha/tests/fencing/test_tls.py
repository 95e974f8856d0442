# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whom a BMC's certificate is trusted from: a CA, or the fingerprint that the operator gave."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from instance_ha.errors import FenceError
from instance_ha.ladder import Rung
from masakari_instance_ha.fencing.power import Pace, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish


@pytest.fixture
def certificate(tmp_path) -> x509.Certificate:
    """A certificate that only it itself has signed; its key is beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bmc")])
    now = datetime.datetime.now(tz=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "bmc.pem").write_bytes(pem + secret)
    return made


@pytest.fixture
def fence(redfish, login, certificate, bmcs, clock, tmp_path):
    """Fence h1 through a BMC that speaks TLS, with these keys in the operator's list."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "bmc.pem")
    redfish.socket = context.wrap_socket(redfish.socket, server_side=True)

    def run(**trust: str) -> str:
        address = redfish.address.removeprefix("http://")
        bmcs.list(h1=[{"type": "redfish", "address": address, **login, **trust}])
        fencer = PowerFencer(
            Redfish(file=bmcs.file, timeout_s=5).reach,
            rung=Rung.REDFISH,
            pace=Pace(deadline_s=30, interval_s=1),
            clock=clock,
            by="engine@test",
        )
        return fencer.fence("h1").answer

    return run


def test_a_certificate_that_nobody_vouches_for_is_refused(fence, redfish):
    with pytest.raises(FenceError, match="no trusted TLS connection"):
        fence()
    assert redfish.asked == [], "neither user nor password was sent"


def test_a_certificate_of_the_operators_authority_is_trusted(fence, certificate):
    assert fence(ca=certificate.public_bytes(serialization.Encoding.PEM).decode()) == "off"


def test_a_certificate_of_the_operators_fingerprint_is_trusted(fence, certificate):
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()

    assert fence(fingerprint=":".join(digest[i : i + 2] for i in range(0, 64, 2))) == "off"


def test_a_certificate_of_another_fingerprint_is_refused(fence, redfish):
    with pytest.raises(FenceError, match="no trusted TLS connection"):
        fence(fingerprint="ab" * 32)
    assert redfish.asked == []
