# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""MariaDB, the database server of the control plane and of whoever is related to it."""

import re

from .. import network, process
from ..errors import LabError
from ..process import Daemon
from . import places
from .places import CONTROL, DATABASE_PORT, PASSWORD

DATA = CONTROL / "mysql"
_HOME = CONTROL / "mysqld"
_SOCKET = _HOME / "mysqld.sock"
_ACCOUNTS = _HOME / "accounts.sql"
_NAME = re.compile(r"[\w-]+")


def daemon() -> Daemon:
    """Return the server's process."""
    options = {
        "user": "mysql",
        "datadir": DATA,
        "socket": _SOCKET,
        "pid-file": _HOME / "mysqld.pid",
        "init-file": _ACCOUNTS,
        "port": DATABASE_PORT,
        "bind-address": "0.0.0.0",
        "max-connections": 500,
        # Safe against the death of the server; only the machine's own could lose a second.
        "innodb-flush-log-at-trx-commit": 2,
        "innodb-buffer-pool-size": "128M",
        "innodb-log-file-size": "16M",
        "innodb-file-per-table": 0,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    switches = ("--skip-log-bin", "--skip-name-resolve")
    return Daemon(
        name="mariadb",
        argv=["/usr/sbin/mariadbd", "--no-defaults", *words, *switches],
        netns=network.SWITCH,
    )


def ensure_up() -> None:
    """Start the server on its data, made empty if there is none, and wait until it answers."""
    places.prepare(_HOME, owner="mysql")
    _ACCOUNTS.write_text(
        f"CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;\n"
    )
    _ACCOUNTS.chmod(0o644)
    if not (DATA / "mysql").exists():
        _install()
    server = daemon()
    process.spawn(server)
    process.wait_until(_answers, within_s=60, what="MariaDB to answer", daemon=server)


def down() -> None:
    """Shut the server down in order, so that its data can be copied."""
    process.stop(daemon(), within_s=30)


def _install() -> None:
    places.prepare(DATA, owner="mysql")
    switches = ("--auth-root-authentication-method=normal", "--skip-test-db")
    process.run(
        ["mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={DATA}", *switches],
        within_s=120,
    )


def _answers() -> bool:
    ask = ["mariadb-admin", "--no-defaults", f"--socket={_SOCKET}", "--user=root", "ping"]
    return not process.run(ask, check=False).returncode


def execute(statements: str) -> str:
    """Run SQL as the server's administrator and return its rows, tabs between columns."""
    client = ["mariadb", "--no-defaults", f"--socket={_SOCKET}", "--user=root", "--batch"]
    return process.run([*client, "--skip-column-names"], input=statements).stdout


def ensure_database(name: str, *, user: str, password: str) -> None:
    """Make the database *name*, owned by *user* with this password.

    Raises:
        LabError: if a name or the password holds anything but letters, digits, _ and -.
    """
    for word in (name, user, password):
        if not _NAME.fullmatch(word):
            raise LabError(f"{word!r} is no plain word; use letters, digits, _ and -")
    execute(
        f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb3;\n"
        f"CREATE OR REPLACE USER '{user}'@'%' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON `{name}`.* TO '{user}'@'%';\n"
    )


def ensure_own(*names: str) -> None:
    """Make the control plane's databases; its daemons use the administrator's account."""
    for name in names:
        execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb3;")
