# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The configuration files of the control plane, as data; the computes' is in ``lab.compute``."""

import pathlib
import shutil
from collections.abc import Mapping

from .. import paths
from . import places
from .places import ADDRESS, AUTH_URL, ETC, IMAGES, PASSWORD, REGION, SERVICE_PROJECT

Value = str | int | bool | pathlib.Path
Sections = Mapping[str, Mapping[str, Value]]

LOG_LEVELS = (
    "amqp=WARN,amqplib=WARN,boto=WARN,sqlalchemy=WARN,oslo_messaging=INFO,oslo.messaging=INFO,"
    "urllib3.connectionpool=WARN,requests.packages.urllib3=WARN,stevedore=WARN,"
    "keystonemiddleware=WARN,routes.middleware=WARN,oslo_policy=INFO,"
    # Its one debug line per evacuate call is what lab.openstack.novalog reads.
    "nova.compute.api=DEBUG"
)


def render(sections: Sections) -> str:
    """Return *sections* as an oslo.config file."""
    blocks = (
        "\n".join([f"[{name}]", *(f"{key} = {_spell(value)}" for key, value in options.items())])
        for name, options in sections.items()
    )
    return "\n\n".join(blocks) + "\n"


def _spell(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def account(user: str) -> dict[str, Value]:
    """Return the keystoneauth options of the service user *user*."""
    return {
        "auth_type": "password",
        "auth_url": AUTH_URL,
        "username": user,
        "password": PASSWORD,
        "project_name": SERVICE_PROJECT,
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": REGION,
    }


def token_check(user: str) -> dict[str, Value]:
    """Return the options by which a service checks the tokens of its callers."""
    return {"www_authenticate_uri": AUTH_URL, "service_token_roles_required": False} | account(
        user
    )


def database_url(name: str) -> str:
    """Return the SQLAlchemy address of the control plane's database *name*."""
    return f"mysql+pymysql://root:{PASSWORD}@{ADDRESS}:{places.DATABASE_PORT}/{name}"


def nova_clients() -> dict[str, dict[str, Value]]:
    """Return the sections by which any Nova daemon, control or compute, reaches the others."""
    return {
        "placement": account("placement"),
        "glance": account("glance"),
        "neutron": account("neutron"),
        # Of the optional volume service (lab.volumes); nobody asks for it before it is there.
        "cinder": account("cinder"),
        "barbican": {"auth_endpoint": AUTH_URL},
        "service_user": account("nova") | {"send_service_user_token": True},
        "vnc": {"enabled": False},
        "spice": {"enabled": False},
    }


def keystone() -> Sections:
    """Return Keystone's file."""
    return {
        "DEFAULT": {"use_stderr": True},
        "database": {"connection": database_url("keystone")},
        # Masakari logs in for nearly every call; twelve rounds cost 0.2 s of CPU each time.
        "identity": {"password_hash_rounds": 4},
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": ETC / "keystone/fernet-keys"},
        "credential": {"key_repository": ETC / "keystone/credential-keys"},
    }


def placement() -> Sections:
    """Return Placement's file."""
    return {
        "DEFAULT": {"use_stderr": True},
        "placement_database": {"connection": database_url("placement")},
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": token_check("placement"),
    }


def glance() -> Sections:
    """Return Glance's file; images are plain files."""
    return {
        "DEFAULT": {"use_stderr": True, "enabled_backends": "store:file"},
        "glance_store": {"default_backend": "store"},
        "store": {"filesystem_store_datadir": IMAGES},
        "os_glance_staging_store": {"filesystem_store_datadir": IMAGES / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": IMAGES / "tasks"},
        "database": {"connection": database_url("glance")},
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": ETC / "glance/glance-api-paste.ini",
        },
        "keystone_authtoken": token_check("glance"),
    }


def nova() -> Sections:
    """Return the file of Nova's API, conductor and scheduler.

    ``service_down_time`` and ``report_interval`` stay at Nova's defaults: operators have those.
    """
    state = places.CONTROL / "nova"
    return {
        "DEFAULT": {
            "use_stderr": True,
            "default_log_levels": LOG_LEVELS,
            "host": "control",
            "my_ip": ADDRESS,
            "transport_url": places.TRANSPORT_URL,
            "state_path": state,
        },
        "api": {"auth_strategy": "keystone"},
        "api_database": {"connection": database_url("nova_api")},
        "database": {"connection": database_url("nova_cell1")},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 3},
        # What fits is for the hosts to say: a benchmark fills them.
        "quota": {"instances": -1, "cores": -1, "ram": -1},
        "oslo_concurrency": {"lock_path": state / "locks"},
        "wsgi": {"api_paste_config": ETC / "nova/api-paste.ini"},
        "keystone_authtoken": token_check("nova"),
        **nova_clients(),
    }


FILES = {
    "keystone/keystone.conf": keystone,
    "placement/placement.conf": placement,
    "glance/glance-api.conf": glance,
    "nova/nova.conf": nova,
}
_PASTE = ("glance/glance-api-paste.ini", "nova/api-paste.ini")


def write() -> None:
    """Write every file below ``places.ETC``."""
    for name, sections in FILES.items():
        places.prepare((ETC / name).parent)
        (ETC / name).write_text(render(sections()))
    for name in _PASTE:
        shutil.copyfile(paths.openstack_venv() / "etc" / name, ETC / name)
