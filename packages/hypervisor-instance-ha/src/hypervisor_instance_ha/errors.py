# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every error of the package; each message holds the fact, the reason and the next step."""

from __future__ import annotations


class HypervisorError(Exception):
    """Base of all errors of this package; caught only at a process edge."""


class SettingsError(HypervisorError):
    """The settings file cannot be used."""


class LibvirtError(HypervisorError):
    """Libvirt does not answer, or refuses."""


class UnitError(HypervisorError):
    """Systemd does not answer, or refuses."""


class CloudError(HypervisorError):
    """A call of an API did not end well."""


class CloudUnreachableError(CloudError):
    """It did not answer, failed, or is not in the catalogue: the same call may work later."""


class ServiceUnknownError(CloudUnreachableError):
    """Keystone answers, and its catalogue has no such service."""


class CloudRefusedError(CloudError):
    """It understood the call and declined it."""

    def __init__(self, doing: str, *, status: int, reason: str) -> None:
        super().__init__(f"cannot {doing}: HTTP {status}, {reason}")
        self.status = status
        self.reason = reason
