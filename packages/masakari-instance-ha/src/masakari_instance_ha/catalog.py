# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where the engine finds the services that no client of Masakari's calls: Glance, Placement."""

from __future__ import annotations

import masakari.conf


def endpoint(service: str) -> dict[str, str | None]:
    """Return a filter of Keystone's catalog: *service*, in Nova's region and interface.

    Both are Masakari's options ``os_region_name`` and ``nova_catalog_admin_info``.
    """
    conf = masakari.conf.CONF
    interface = conf.nova_catalog_admin_info.split(":")[-1]
    return {
        "service_type": service,
        "interface": interface,
        "region_name": conf.os_region_name,
    }
