# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The databases that the store is tested on, and the command as a test runs it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time
import tomllib
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from masakari_instance_ha import cli, options, store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from typing import Any

HAS_MARIADB = shutil.which("mariadbd") is not None
_MARIADB_READY_S = 60


class Clock:
    """A clock that moves on only when somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, seconds: float) -> None:
        self.time_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_url(tmp_path: pathlib.Path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def journal(sqlite_url: str) -> store.Store:
    store.migrate(sqlite_url)
    return store.connect(sqlite_url)


@pytest.fixture(scope="session")
def mariadb_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """A private MariaDB without any port; skipped where it is not installed."""
    if not HAS_MARIADB:
        pytest.skip("mariadbd is not installed")
    home = tmp_path_factory.mktemp("mariadb")
    data, socket = home / "data", home / "socket"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root",
         "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--user=root",
         "--skip-networking", "--skip-log-bin", "--innodb-buffer-pool-size=16M",
         "--innodb-flush-log-at-trx-commit=0",
         f"--log-error={home}/log"],
    )  # fmt: skip
    until = time.monotonic() + _MARIADB_READY_S
    while not socket.exists():
        assert server.poll() is None, (home / "log").read_text()
        assert time.monotonic() < until, "mariadbd did not come up"
        time.sleep(0.1)
    yield socket
    server.terminate()
    server.wait(timeout=30)


@contextlib.contextmanager
def _database(socket: pathlib.Path, name: str) -> Generator[str]:
    base = sa.URL.create("mysql+pymysql", "root", query={"unix_socket": str(socket)})
    server = sa.create_engine(base, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} CHARACTER SET utf8mb3"))
    yield base.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name}"))


@pytest.fixture
def mysql_url(mariadb_socket: pathlib.Path) -> Iterator[str]:
    with _database(mariadb_socket, "store") as address:
        yield address


@pytest.fixture(scope="session")
def masakari_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An empty database for a whole masakari: MariaDB, or SQLite where there is none."""
    if not HAS_MARIADB:
        yield f"sqlite:///{tmp_path_factory.mktemp('masakari')}/masakari.sqlite"
        return
    with _database(request.getfixturevalue("mariadb_socket"), "masakari") as address:
        yield address


@pytest.fixture(params=["sqlite", "mysql"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty store in each kind of database."""
    address = str(request.getfixturevalue(f"{request.param}_url"))
    store.migrate(address)
    return address


@pytest.fixture
def config(tmp_path, login):
    path = tmp_path / "instance-ha.conf"
    path.write_text(
        f"{login}\n[instance_ha]\nconnection = sqlite:///{tmp_path}/store.sqlite\n"
        "[instance_ha_fencing]\nmode = none\n"
    )
    return path


@pytest.fixture
def run(config, capsys):
    """Run the command; return its exit code, and what it wrote where."""

    def command(*words):
        code = cli.main(["--config-file", str(config), *words])
        written = capsys.readouterr()
        return code, written.out, written.err

    return command


@pytest.fixture
def ask(run):
    """Run a command that must succeed; return its JSON."""

    def command(*words):
        code, out, err = run("--format", "json", *words)
        assert (code, err) == (0, "")
        return json.loads(out)

    return command


@pytest.fixture
def configured(login: str, tmp_path: pathlib.Path) -> Callable[[str], cfg.ConfigOpts]:
    """Read the options of an instance-ha.conf that leads to the cloud, and says more if wanted."""

    def read(extra: str = "") -> cfg.ConfigOpts:
        path = tmp_path / "instance-ha.conf"
        path.write_text(f"{login}\n{extra}")
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf(args=[], default_config_files=[str(path)])
        return conf

    return read


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the packages are installed, as the charm pushes them."""
    package = pathlib.Path(__file__).parents[1]
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    pushed = tmp_path_factory.mktemp("pushed")
    metadata = pushed / "masakari_instance_ha-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: masakari-instance-ha\nVersion: 0.1.0\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in names.items())
        for group, names in project["entry-points"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    sources = [pushed, package / "src", package.parent / "instance-ha" / "src"]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))}


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], None]:
    """Wait until a condition holds, and fail with words if it never does."""

    def wait(condition: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never seen: {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def spawn(tmp_path: pathlib.Path, installed: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """Start a command where the plugin is installed, its words in a log; it ends with the test."""
    started: list[Any] = []

    def start(argv: Sequence[object]) -> Any:
        log = tmp_path / f"log-{len(started)}"
        words = [str(word) for word in argv]
        with log.open("wb") as file:
            process: Any = subprocess.Popen(
                words, stdout=file, stderr=subprocess.STDOUT, env=installed, cwd=tmp_path
            )
        process.log = log
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
