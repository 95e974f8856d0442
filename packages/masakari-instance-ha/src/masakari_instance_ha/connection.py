# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The way to Masakari's and Nova's API, and the one place where its errors are translated."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

import keystoneauth1.exceptions
import openstack
import openstack.connection
import openstack.exceptions
import requests

from instance_ha.errors import CloudUnreachableError, InstanceHaError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from oslo_config import cfg

CALL_TIMEOUT_S = 10.0
"""Of one call. Masakari's API may wait up to 5 s by itself before it takes a notification."""

PAGE = 1000
"""Masakari cuts every list at this length (``osapi_max_limit``) and does not say so."""

_REQUIRED = ("auth_url", "username", "password", "project_name")

T = TypeVar("T")


class CloudRefusedError(CloudUnreachableError):
    """Masakari or Nova understood a call and declined it; the message has its own words.

    What a question that was declined asked for is as unknown as if nobody had answered. Who gives
    an order catches this kind first: an order that was declined was not carried out.
    """

    def __init__(self, doing: str, *, status: int, reason: str) -> None:
        super().__init__(f"cannot {doing}: {reason}")
        self.status = status
        self.reason = reason


class CloudOptionsError(InstanceHaError):
    """The login is incomplete, so no API can be called."""


def connect(conf: cfg.ConfigOpts) -> openstack.connection.Connection:
    """Return a connection made of ``[instance_ha_api]`` alone; nothing is called yet.

    Neither clouds.yaml nor the environment is read: a stray file must not send the controller
    to another cloud.

    Raises:
        CloudOptionsError: if an option is missing.
    """
    login = conf.instance_ha_api
    if missing := [name for name in _REQUIRED if not login[name]]:
        raise CloudOptionsError(
            f"[instance_ha_api] lacks {', '.join(missing)}, so Masakari cannot be called; "
            "integrate identity-service, or set the options"
        )
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_type="password",
        auth={
            "auth_url": login.auth_url,
            "username": login.username,
            "password": login.password,
            "project_name": login.project_name,
            "user_domain_name": login.user_domain_name,
            "project_domain_name": login.project_domain_name,
        },
        region_name=login.region_name,
        interface=login.interface,
        cacert=login.cafile,
        verify=not login.insecure,
        api_timeout=CALL_TIMEOUT_S,
        app_name="instance-ha",
    )


@contextlib.contextmanager
def calling(doing: str) -> Generator[None]:
    """Translate the errors of one call; *doing* completes "cannot ...".

    Raises:
        CloudRefusedError: if the API answered 4xx, apart from 401: the service understood.
        CloudUnreachableError: of any other kind if it did not answer, does not exist, or failed.
    """
    try:
        yield
    except openstack.exceptions.HttpException as error:
        status = error.status_code or 0
        reason = str(error.details or error.message).strip().replace("\n", "; ")
        if 400 <= status < 500 and status != requests.codes.unauthorized:
            raise CloudRefusedError(doing, status=status, reason=reason) from error
        raise CloudUnreachableError(f"cannot {doing}: HTTP {status}, {reason}") from error
    except (openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException) as error:
        raise CloudUnreachableError(
            f"cannot {doing}: {error}; check [instance_ha_api] and that Keystone and the service "
            "answer"
        ) from error


def every(read: Callable[..., Iterable[T]], **query: str) -> list[T]:
    """Return a whole list of Masakari's, read in pages only if one page was full."""
    items = list(read(**query))
    return items if len(items) < PAGE else list(read(limit=PAGE, **query))
