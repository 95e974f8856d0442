# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""A cloud as Sunbeam and Juju show it; below both is the ``FakeCloud`` of the rules' tests."""

import dataclasses
import json
import types

import jubilant
from fakes import SPACES, FakeCloud
from instance_recovery.errors import ActionFailedError, CloudError
from instance_recovery.ports import CharmFile, Model
from jubilant import statustypes

TOKEN = "sunbeam:deploys:with-this"


def missing(name: str) -> jubilant.CLIError:
    return jubilant.CLIError(1, ["juju"], "", f"ERROR {name} not found")


class FakeJuju:
    """Juju's client; what it is told reaches the ``FakeCloud``."""

    def __getattribute__(self, name: str):
        """Let what the cloud refuses be an error of Juju's client."""
        found = super().__getattribute__(name)
        if not isinstance(found, types.MethodType):
            return found

        def call(*args, **words):
            try:
                return found(*args, **words)
            except ActionFailedError as error:
                task = jubilant.Task("1", "failed", dict(error.results), message=error.reason)
                raise jubilant.TaskError(task) from error
            except CloudError as error:
                raise jubilant.CLIError(1, ["juju"], "", f"ERROR {error.reason}") from error

        return call

    def __init__(self, cloud: FakeCloud, model: str) -> None:
        self.cloud = cloud
        self.model = Model(model.rpartition("/")[2])

    def status(self) -> jubilant.Status:
        self.cloud.verbs.append("status")
        if self.cloud.fail_at == "status":
            raise jubilant.CLIError(1, ["juju"], "", "ERROR cut off")
        active = statustypes.StatusInfo(current="active")
        applications = {
            name: statustypes.AppStatus(
                **NOTHING,
                charm=name,
                scale=self.cloud.scales.get(name, 0),
                app_status=self.cloud.unrest.get(name, active),
                subordinate_to=["openstack-hypervisor"] if self.model is Model.MACHINES else [],
            )
            for name in self.cloud.applications[self.model]
        }
        if self.model is Model.MACHINES:
            applications["openstack-hypervisor"] = statustypes.AppStatus(
                **NOTHING, charm="openstack-hypervisor", app_status=active, units=self._units()
            )
        remote = {
            name: statustypes.RemoteAppStatus(url=f"admin/other.{name}", endpoints={})
            for name in self.cloud.consumed[self.model]
        }
        return jubilant.Status(
            model=None, machines=self._machines(), apps=applications, app_endpoints=remote
        )

    def _units(self):
        return {
            f"openstack-hypervisor/{number}": statustypes.UnitStatus(
                machine=str(number),
                subordinates={f"masakari-monitors/{number}": statustypes.UnitStatus()},
            )
            for number in (1, 2)
        }

    def _machines(self):
        port = statustypes.NetworkInterface(
            ip_addresses=[], mac_address="", is_up=True, space=" ".join(SPACES.values())
        )
        return {
            str(number): statustypes.MachineStatus(network_interfaces={"eth0": port})
            for number in (1, 2)
        }

    def cli(self, *args: str) -> str:
        if args[0] == "spaces":
            return json.dumps({"spaces": [{"name": name} for name in SPACES.values()]})
        if args[0] == "scale-application":
            self.cloud.scales[args[1]] = int(args[2])
            return ""
        assert args[0] == "remove-saas", args
        self.cloud.disconnect(self.model, args[1:])
        return ""

    def deploy(self, charm, app, *, bind, config, num_units, resources) -> None:
        self.cloud.scales.setdefault(app, num_units)
        self.cloud.deploy_file(
            CharmFile(
                application=app, model=self.model, path=charm, units=num_units, config=config
            )
        )

    def refresh(self, app, *, path, resources) -> None:
        self.deploy(path, app, bind=None, config={}, num_units=1, resources=resources)

    def config(self, app, values) -> None:
        self.cloud.set_config(app, self.model, values)

    def remove_application(self, *names, destroy_storage) -> None:
        self.cloud.remove(self.model, names)

    def run(self, unit, action, params, *, wait) -> jubilant.Task:
        if self.cloud.break_action:
            raise self.cloud.break_action
        application, _, number = unit.partition("/")
        if number == "leader":
            results = self.cloud.run(application, self.model, action, params)
        else:
            results = self.cloud.run_at(application, number, action, params)
        return jubilant.Task("1", "completed", dict(results))

    def add_secret(self, name, content, *, info) -> jubilant.SecretURI:
        return jubilant.SecretURI(f"secret:{self.cloud.ensure_secret(name, content)}")

    def update_secret(self, name, content) -> None:
        self.cloud.ensure_secret(name, content)

    def show_secret(self, name, *, reveal):
        if name not in self.cloud.secrets:
            raise missing(name)
        uri = jubilant.SecretURI(f"secret:id-{name}")
        kind = jubilant.RevealedSecret if reveal else jubilant.Secret
        said = {"uri": uri, "content": self.cloud.secrets[name]}
        return kind(**{each.name: said.get(each.name) for each in dataclasses.fields(kind)})

    def grant_secret(self, name, app) -> None:
        self.cloud.grant_secret(name, to=app)

    def remove_secret(self, name) -> None:
        self.cloud.remove_secret(name)


NOTHING = {
    "charm_origin": "", "charm_name": "", "charm_rev": 1, "exposed": False,
}  # fmt: skip


class FakeDatabase:
    """Sunbeam's database; *missing* is the exception that it raises for what it has not."""

    def __init__(self, missing: type[Exception]) -> None:
        self.missing = missing
        self.manifests = ["features: {}"]
        self.nodes = [
            {"name": f"h{number}", "machineid": number, "systemid": f"sys-h{number}"}
            for number in (1, 2)
        ]
        self.storage_nodes = self.nodes[:1]
        self.config = {
            "TerraformVarsOpenstack": json.dumps({"os-api-scale": 3}),
            "Topology": json.dumps({"database": "single", "topology": "multi"}),
            "Region": json.dumps({"region": "RegionOne"}),
        }

    @property
    def cluster(self):
        return self

    def get_config(self, key):
        if key not in self.config:
            raise self.missing(key)
        return self.config[key]

    def update_config(self, key, value):
        self.config[key] = value

    def delete_config(self, key):
        del self.config[key]

    def list_nodes_by_role(self, role):
        return self.nodes if role == "compute" else self.storage_nodes

    def get_storage_backends(self):
        return types.SimpleNamespace(root=[])

    def get_latest_manifest(self):
        return {"data": self.manifests[-1]}

    def add_manifest(self, data):
        self.manifests.append(data)
        return "1"

    def get_server_certpair(self):
        return {"certificate": "PEM", "private-key": "PEM"}

    def get_feature_gate(self, key):
        return None


class FakeJujuHelper:
    controller = "sunbeam-controller"

    def get_model_name_with_owner(self, model: str) -> str:
        return f"admin/{model}"

    def get_model_uuid(self, model: str) -> str:
        return f"uuid-{model}"


def nova(*names: str):
    """Return a connection to a Nova that knows these names."""
    services = [types.SimpleNamespace(host=name) for name in names]
    compute = types.SimpleNamespace(services=lambda binary: services)
    return types.SimpleNamespace(compute=compute)


def vars_of(found) -> dict[str, str]:
    return {name: getattr(found, name) for name in ("system_id", "hostname", "fqdn", "power_type")}
