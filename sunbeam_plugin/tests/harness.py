# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""``sunbeam`` as a person types it, on a cloud of the tests.

The same with Sunbeam itself and with what is recorded of it: only what Sunbeam asks of machines is
replaced (Juju's client, the command terraform, its database, Nova).
"""

import importlib
import json
import pathlib
import sys
import types

import click
import click.testing
import jubilant
import sunbeam_cloud
from fakes import SPACES, Clock, FakeCloud
from instance_recovery.errors import CloudError

VARIABLES = "TerraformVarsInstanceRecovery"
STATE = "Feature-instance-recovery"
SERVICE = importlib.import_module("sunbeam.clusterd.service")
TERRAFORM = importlib.import_module("sunbeam.core.terraform")
MANAGER = importlib.import_module("sunbeam.feature_manager")
MAINTENANCE = importlib.import_module("sunbeam.features.maintenance.commands")
IS_REAL = hasattr(MANAGER, "list_features")
PLAN = "instance-recovery-plan"


class Sunbeam:
    """One cloud, and the command."""

    def __init__(self, cloud: FakeCloud, folder: pathlib.Path, maas_url: str) -> None:
        self.cloud = cloud
        self.folder = folder
        self.maas_url = maas_url
        self.is_maas = True
        self.database = sunbeam_cloud.FakeDatabase(SERVICE.ConfigItemNotFoundException)
        self.spaces = {network.sunbeam: space for network, space in SPACES.items()}
        self.services = ["h1.maas", "h2.maas"]
        self.outputs = {"keystone-offer-url": "admin/openstack.keystone-credentials"}

    def deployment(self):
        """Return a deployment as a new process would load it."""
        made = deployment_class(is_maas=self.is_maas, sunbeam=self)
        said = {"name": "cloud", "url": self.maas_url, "type": "local"}
        if self.is_maas:
            said |= {"type": "maas", "token": sunbeam_cloud.TOKEN}
        return made(**said)

    def __call__(self, *words: str, answers: str = "") -> click.testing.Result:
        """Run ``sunbeam`` with these words."""
        cli = root()
        deployment = self.deployment()
        originals = [(command, command.callback) for command in commands()]
        MANAGER.FeatureManager().register(cli, deployment)
        runner = click.testing.CliRunner()
        before, sys.argv = sys.argv, ["sunbeam", *words]
        try:
            return runner.invoke(cli, list(words), obj=deployment, input=answers)
        finally:
            sys.argv = before
            for command, callback in originals:
                command.callback = callback
                getattr(command, "commands", {}).clear()

    def enable(self, *words: str, manifest: str | None = None) -> click.testing.Result:
        """Run ``sunbeam enable instance-recovery``, with charms from files."""
        charms = ["--charm-dir", str(charm_files(self.folder)), "-a"]
        before = [] if manifest is None else ["-m", manifest]
        return self("enable", *before, "instance-recovery", *charms, *words)

    def stored(self, key: str) -> dict | None:
        """Return what Sunbeam's database has of a key."""
        text = self.database.config.get(key)
        return None if text is None else json.loads(text)


def root() -> click.Group:
    """Return the groups of Sunbeam's command."""
    cli = click.Group("init")
    manifest = click.Option(["-m", "--manifest"], type=click.Path(path_type=pathlib.Path))
    cli.add_command(click.Group("enable", params=[manifest]))
    cli.add_command(click.Group("disable"))
    maintenance = click.Group("maintenance")
    maintenance.add_command(MAINTENANCE.enable, "enable")
    maintenance.add_command(MAINTENANCE.disable, "disable")
    cli.add_command(maintenance)
    return cli


def feature():
    """Return our feature, as Sunbeam loaded it."""
    return MANAGER.FeatureManager().features()["instance-recovery"]


def commands() -> list[click.Command]:
    """Return the commands that Sunbeam wraps in place, once for each process."""
    ours = [each for each in vars(type(feature())).values() if isinstance(each, click.Command)]
    return [*ours, MAINTENANCE.enable, MAINTENANCE.disable]


class OnTestCloud:
    """What a deployment of Sunbeam asks elsewhere; ``sunbeam`` is the cloud of the test."""

    def get_client(self):
        return self.sunbeam.database

    def get_juju_helper(self, keystone=False):
        return sunbeam_cloud.FakeJujuHelper()

    def get_space(self, network):
        if network.value not in self.sunbeam.spaces:
            raise ValueError(network)
        return self.sunbeam.spaces[network.value]

    def get_clusterd_http_address(self):
        return "https://127.0.0.1:7000"

    def get_proxy_settings(self):
        return {}

    @property
    def plans_directory(self):
        return self.sunbeam.folder / "plans"

    def _load_juju_account(self):
        return None

    def _load_juju_controller(self):
        return None


def deployment_class(*, is_maas: bool, sunbeam: Sunbeam):
    """Return Sunbeam's class of a deployment, on the cloud of the test."""
    where, name = ("maas", "MaasDeployment") if is_maas else ("local", "LocalDeployment")
    if IS_REAL:
        base = getattr(importlib.import_module(f"sunbeam.provider.{where}.deployment"), name)
    else:
        base = importlib.import_module("sunbeam.core.deployment").Deployment
    here = type("OnThisCloud", (OnTestCloud,), {"sunbeam": sunbeam})
    return type("TestDeployment", (here, base), {"__module__": __name__})


def charm_files(folder: pathlib.Path) -> pathlib.Path:
    """Return a folder with the three charms."""
    for name in ("masakari-k8s", "masakari-monitors", "hacluster-shim"):
        (folder / f"{name}_amd64.charm").touch()
    return folder


def replace_machines(monkeypatch, sunbeam: Sunbeam) -> None:
    """Let Juju's client, terraform, Nova and time be those of the test."""
    cloud, time = sunbeam.cloud, Clock()
    here = type(feature()).__module__.removesuffix(".feature")
    reading, cluster, models = (
        importlib.import_module(f"{here}.{name}") for name in ("reading", "cluster", "models")
    )

    def juju(*, model=None):
        return sunbeam_cloud.FakeJuju(cloud, model)

    def nova(helper, where):
        return sunbeam_cloud.nova(*sunbeam.services)

    monkeypatch.setattr(jubilant, "Juju", juju)
    monkeypatch.setattr(reading, "get_admin_connection", nova)
    monkeypatch.setattr(models.WallClock, "now_s", lambda self: time.now_s())
    monkeypatch.setattr(models.WallClock, "sleep", lambda self, seconds: time.sleep(seconds))
    replace_terraform(monkeypatch, sunbeam)
    replace_addresses(monkeypatch, cloud, cluster)
    base = importlib.import_module("sunbeam.features.interface.v1.base")
    monkeypatch.setattr(base, "run_preflight_checks", lambda *args: None, raising=False)


def replace_terraform(monkeypatch, sunbeam: Sunbeam) -> None:
    """Carry out on the cloud of the test what Sunbeam writes for terraform."""
    cloud, helper = sunbeam.cloud, TERRAFORM.TerraformHelper

    def carry_out(verb):
        try:
            verb()
        except CloudError as error:
            raise TERRAFORM.TerraformException(str(error)) from error

    def apply(self, extra_args=None, reporter=None):
        variables = json.loads((self.path / "terraform.tfvars.json").read_text())
        carry_out(lambda: cloud.apply(variables, print))

    def destroy(self, reporter=None):
        assert (self.path / "terraform.tfvars.json").exists(), "terraform asks for variables"
        carry_out(lambda: cloud.destroy(print))

    monkeypatch.setattr(helper, "init", lambda self: cloud.verbs.append("init"))
    monkeypatch.setattr(helper, "apply", apply)
    monkeypatch.setattr(helper, "destroy", destroy)
    monkeypatch.setattr(helper, "output", lambda self, hide_output=False: sunbeam.outputs)


def replace_addresses(monkeypatch, cloud: FakeCloud, cluster) -> None:
    """How addresses are shared is Sunbeam's; that it is asked is ours."""
    done = types.SimpleNamespace(result_type=None, message="")
    for name in ("MaasCreateLoadBalancerIPPoolsStep", "_SharedPool", "_SharedAddress"):

        def run(self, context, name=name):
            assert name.startswith("Maas") or self.services() == ["consul-storage-lb"]
            cloud.verbs.append(name)
            return done if IS_REAL else None

        step = getattr(cluster, name)
        monkeypatch.setattr(step, "run", run)
        monkeypatch.setattr(step, "is_skip", lambda self, context: done, raising=False)
    monkeypatch.setattr(cluster.MaasClient, "from_deployment", lambda deployment: None)
