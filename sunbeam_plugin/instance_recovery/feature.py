# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What Sunbeam loads: ``sunbeam enable instance-recovery``, and what comes with it."""

from __future__ import annotations

import contextlib
import pathlib
import shlex
import sys
from collections.abc import Generator, Mapping, Sequence

import click
import packaging.version
import pydantic
import yaml
from sunbeam.core.manifest import CharmManifest, FeatureConfig, SoftwareConfig, TerraformManifest
from sunbeam.features.interface.v1.base import EnableDisableFeature
from sunbeam.features.maintenance import commands as maintained
from sunbeam.utils import click_option_show_hints, pass_method_obj
from sunbeam.versions import CONSUL_CHANNEL, OPENSTACK_CHANNEL

from . import asking, assembly, daily, maintenance, procedure
from .cluster import Cluster, Deployment
from .disabling import Disabling
from .enabling import Enabling
from .errors import InstanceRecoveryError
from .plan import PLAN, TFVAR_MAP, VARIABLES_KEY
from .ports import Tell
from .settings import Fencing, Settings, explain, preseed

NAME = "instance-recovery"
MENDED = "Mend it and run the same command again; nothing was changed"
FILE = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=pathlib.Path)


class Config(Settings, FeatureConfig):
    """``features.instance-recovery.config`` of a manifest."""


class Terminal:
    """Shows progress, and asks."""

    @contextlib.contextmanager
    def step(self, number: int, of: int, title: str) -> Generator[Tell]:
        """Show a step while it lasts; the same word is not said twice in a row."""
        click.echo(f"[{number}/{of}] {title}")
        last = ""

        def tell(word: str) -> None:
            nonlocal last
            if word != last:
                click.echo(f"      {word}")
            last = word

        yield tell

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Return one of the options."""
        return click.prompt(question, type=click.Choice([str(each) for each in options]))

    def agree(self, question: str) -> bool:
        """Return whether the answer is yes."""
        return click.confirm(question, default=False)

    def text(self, question: str) -> str:
        """Return a line."""
        return click.prompt(question)

    def secret(self, question: str) -> str:
        """Return a line that is not shown."""
        return click.prompt(question, hide_input=True)


@contextlib.contextmanager
def _explained() -> Generator[None]:
    """End a command with a sentence."""
    try:
        yield
    except InstanceRecoveryError as error:
        raise click.ClickException(str(error)) from error


@contextlib.contextmanager
def _manifest_explained() -> Generator[None]:
    """Say in a sentence why a manifest cannot be used."""
    try:
        yield
    except pydantic.ValidationError as error:
        if error.title == Config.__name__:
            raise click.ClickException(str(explain(error))) from error
        raise click.ClickException(f"the manifest cannot be used: {error}. {MENDED}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise click.ClickException(f"the manifest cannot be used: {error}. {MENDED}") from error


def _say(lines: Sequence[str], *, ready: bool = True) -> None:
    """Show lines; a command ends with 1 if not all is ready."""
    for line in lines:
        click.echo(line)
    if not ready:
        raise click.exceptions.Exit(1)


def _same_command() -> str:
    """Return the command that is running; files are named in it, and never keys."""
    return shlex.join(["sunbeam", *sys.argv[1:]])


class InstanceRecoveryFeature(EnableDisableFeature[Config]):
    """Recovers the machines of a lost hypervisor, after a proof that it is off."""

    version = packaging.version.Version("0.1.0")
    name = NAME

    def __init__(self) -> None:
        super().__init__()
        self.accept_defaults = False
        self.remove_segments = False
        self.force = False

    def config_type(self) -> type[Config]:
        """Return what a manifest may say."""
        return Config

    def default_software_overrides(self) -> SoftwareConfig:
        """Return charms and plan; the first three are named by manifests that are stored."""
        here = pathlib.Path(__file__).parent
        return SoftwareConfig(
            charms={
                "consul-k8s": CharmManifest(channel=CONSUL_CHANNEL),
                "consul-client": CharmManifest(channel=CONSUL_CHANNEL),
                "masakari-k8s": CharmManifest(channel=OPENSTACK_CHANNEL),
                "masakari-monitors": CharmManifest(),
                "hacluster-shim": CharmManifest(),
            },
            terraform={PLAN: TerraformManifest(source=here / "etc" / f"deploy-{NAME}")},
        )

    def manifest_attributes_tfvar_map(self) -> dict[str, object]:
        """Return which word of a manifest is which variable of the plan."""
        return {PLAN: TFVAR_MAP}

    def preseed_questions_content(self) -> list[str]:
        """Return what ``sunbeam manifest generate`` shows of the options."""
        return preseed()

    def run_enable_plans(self, deployment: Deployment, config: Config, show_hints: bool) -> None:
        """Look at everything first, then bring it about."""
        with _explained():
            work = self._prepare(deployment, config)
            # Status, pause and disable have to work on what is half there.
            self.update_feature_info(deployment.get_client(), {"enabled": "true"})
            procedure.carry_out(work.steps(), show=Terminal(), command=_same_command())
        click.echo("instance-recovery is ready: every hypervisor is protected")

    def run_disable_plans(self, deployment: Deployment, show_hints: bool) -> None:
        """Take everything away, in reverse."""
        with _explained():
            cluster = assembly.cluster_of(deployment)
            work = Disabling(cloud=cluster, remove_segments=self.remove_segments, force=self.force)
            assembly.require_ours(cluster)
            work.require_idle()
            procedure.carry_out(work.steps(), show=Terminal(), command=_same_command())
        click.echo("instance-recovery is gone")

    def upgrade_hook(
        self, deployment: Deployment, upgrade_release: bool = False, show_hints: bool = False
    ) -> None:
        """Bring the charms to what the manifest now says; ``sunbeam cluster refresh`` calls it."""
        with _explained():
            cluster = assembly.cluster_of(deployment)
            if cluster.stored(VARIABLES_KEY) is None:
                return  # deployed by Sunbeam's own feature, whose place this one took
            steps = assembly.refreshing(cluster)
            procedure.carry_out(steps, show=Terminal(), command="sunbeam cluster refresh")

    def _prepare(self, deployment: Deployment, config: pydantic.BaseModel) -> Enabling:
        found = deployment.get_manifest().get_feature(NAME)
        said = found.config.model_dump(exclude_unset=True) if found and found.config else {}
        return assembly.prepare(
            assembly.cluster_of(deployment, manifest_file=self.user_manifest),
            Settings.model_validate(said | config.model_dump(exclude_unset=True)),
            charms=found.software.charms if found else {},
            person=None if self.accept_defaults else Terminal(),
            say=click.echo,
        )

    @click.command()
    @click.option(
        "--fencing",
        type=click.Choice([str(each) for each in Fencing]),
        help="Who proves a hypervisor off.",
    )
    @click.option("--maas-url", help="Address of MAAS; the deployment's by default.")
    @click.option("--maas-key-file", type=FILE, help="File with CONSUMER:TOKEN:SECRET.")
    @click.option("--maas-ca-file", type=FILE, help="PEM file of MAAS' authority.")
    @click.option("--bmcs-file", type=FILE, help="YAML file with each hypervisor's controllers.")
    @click.option("--charm-dir", type=FOLDER, help="Folder with the charms as files.")
    @click.option("--accept-defaults", "-a", is_flag=True, help="Ask nothing.")
    @click_option_show_hints
    @pass_method_obj
    def enable_cmd(
        self, deployment: Deployment, accept_defaults: bool, show_hints: bool, **said: object
    ) -> None:
        """Recover machines of lost hypervisors, each after a proof that it is off."""
        self.accept_defaults = accept_defaults
        given = {name: value for name, value in said.items() if value is not None}
        group = click.get_current_context().parent
        with _manifest_explained():
            config = Config.model_validate(given)
            # Sunbeam reads it again, and then has it already.
            deployment.get_manifest(group.params.get("manifest") if group else None)
        self.enable_feature(deployment, config, show_hints)

    @click.command()
    @click.option("--remove-segments", is_flag=True, help="Also forget segments and hosts.")
    @click.option("--force", is_flag=True, help="Even while a hypervisor is being recovered.")
    @click_option_show_hints
    @pass_method_obj
    def disable_cmd(
        self, deployment: Deployment, remove_segments: bool, force: bool, show_hints: bool
    ) -> None:
        """Take instance recovery away; no machine is stopped."""
        self.remove_segments, self.force = remove_segments, force
        self.disable_feature(deployment, show_hints)

    @click.group()
    def daily_group(self) -> None:
        """Look at instance recovery, pause it, rehearse it."""

    @click.command()
    @pass_method_obj
    def status_cmd(self, deployment: Deployment) -> None:
        """Show whether every hypervisor is protected; ends with 1 if not."""
        with _explained():
            cluster = assembly.cluster_of(deployment)
            lines, ready = daily.status(cluster, assembly.nodes_of(cluster))
        _say(lines, ready=ready)

    @click.command()
    @click.option("--node", help="Only this one; else the whole cloud.")
    @click.option("--reason", required=True, help="Shown wherever the pause is.")
    @click.option("--for", "duration", help="Ends by itself, for example after 30m or 2h.")
    @pass_method_obj
    def pause_cmd(
        self, deployment: Deployment, node: str | None, reason: str, duration: str | None
    ) -> None:
        """Begin no recovery until resumed."""
        with _explained():
            cluster = assembly.cluster_of(deployment)
            lines = daily.pause(cluster, reason=reason, node=node, duration=duration)
        _say(lines)

    @click.command()
    @click.option("--node", help="Only this one; else the whole cloud.")
    @pass_method_obj
    def resume_cmd(self, deployment: Deployment, node: str | None) -> None:
        """End a pause."""
        with _explained():
            lines = daily.resume(assembly.cluster_of(deployment), node=node)
        _say(lines)

    @click.command()
    @click.option("--server", help="Kill the process of this test server, to see it restarted.")
    @click.option("--node", help="Hypervisor on which that server is.")
    @pass_method_obj
    def drill_cmd(self, deployment: Deployment, server: str | None, node: str | None) -> None:
        """Show what would be done with each hypervisor; or kill one test server."""
        with _explained():
            cluster = assembly.cluster_of(deployment)
            if server is None:
                lines, ready = daily.drill(cluster, assembly.nodes_of(cluster))
            else:
                machine = assembly.machine_of(cluster, node)
                asking.kill_server(cluster, server, machine=machine)
                lines, ready = [f"{server} was killed on {node}; it should be back at once"], True
        _say(lines, ready=ready)

    def enabled_commands(self) -> dict[str, list[dict[str, object]]]:
        """Return the commands that are there while the feature is enabled."""
        words = {
            "status": self.status_cmd,
            "pause": self.pause_cmd,
            "resume": self.resume_cmd,
            "drill": self.drill_cmd,
        }
        return {
            "init": [{"name": NAME, "command": self.daily_group}],
            f"init.{NAME}": [
                {"name": name, "command": command} for name, command in words.items()
            ],
        }

    def register(self, cli: click.Group, conditions: Mapping[str, str | bool] = {}) -> None:
        """Add the commands; while enabled, maintenance of a node pauses it."""
        super().register(cli, conditions)
        if conditions.get("enabled"):
            maintenance.follow(
                maintained.enable, maintained.disable, rest=_rest_node, wake=_wake_node
            )


def _current() -> Cluster:
    return assembly.cluster_of(click.get_current_context().obj)


def _rest_node(node: str) -> None:
    with _explained():
        daily.rest_node(_current(), node)


def _wake_node(node: str) -> None:
    with _explained():
        daily.wake_node(_current(), node)
