# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Keystone's content, and the administrator's way into the cloud's APIs."""

import contextlib
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import openstack
from openstack.connection import Connection

from .. import network
from .places import ADMIN, AUTH_URL, PASSWORD, REGION, SERVICE_PROJECT


@contextlib.contextmanager
def cloud(user: str = ADMIN) -> Generator[Connection]:
    """Give the connection of the administrator, or of whom the lab made with a project alike.

    This thread is in the lab's network meanwhile.
    """
    with network.inside():
        connection = openstack.connect(
            auth_url=AUTH_URL,
            username=user,
            password=PASSWORD,
            project_name=user,
            user_domain_id="default",
            project_domain_id="default",
            region_name=REGION,
        )
        try:
            yield connection
        finally:
            connection.close()


def ensure_service_user(
    name: str, *, password: str = PASSWORD, roles: Iterable[str] = ("admin", "service")
) -> None:
    """Make the user *name* with these roles in the service project; its password becomes this."""
    with cloud() as connection:
        identity = _v3(connection)
        project = identity.find_project(SERVICE_PROJECT) or identity.create_project(
            name=SERVICE_PROJECT, domain_id="default"
        )
        user = identity.find_user(name)
        if user is None:
            user = identity.create_user(name=name, password=password, domain_id="default")
        else:
            identity.update_user(user, password=password)
        for role_name in roles:
            role = identity.find_role(role_name) or identity.create_role(name=role_name)
            identity.assign_project_role_to_user(project, user, role)


def ensure_endpoint(service: str, *, type: str, urls: Mapping[str, str]) -> None:
    """Make the catalogue say where *service* is.

    Args:
        type: What clients look it up by, as ``instance-ha``.
        urls: Address of each interface: ``public``, ``internal``, ``admin``.
    """
    with cloud() as connection:
        identity = _v3(connection)
        known = identity.find_service(service) or identity.create_service(name=service, type=type)
        present = {
            endpoint.interface: endpoint for endpoint in identity.endpoints(service_id=known.id)
        }
        for interface, url in urls.items():
            if interface not in present:
                identity.create_endpoint(
                    service_id=known.id, interface=interface, url=url, region_id=REGION
                )
            elif present[interface].url != url:
                identity.update_endpoint(present[interface], url=url)


def _v3(connection: Connection) -> Any:
    # The library's own type admits Keystone's long dead version 2, which has none of these verbs.
    return connection.identity
