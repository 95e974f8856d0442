# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""A cloud that remembers what was done to it, and can fail at any verb."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from instance_recovery import plan
from instance_recovery.errors import ActionFailedError, ApplicationMissingError, CloudError
from instance_recovery.maas import Account, Machine, Power
from instance_recovery.networks import Network
from instance_recovery.plan import Place, Wanted
from instance_recovery.ports import CharmFile, Model
from instance_recovery.settings import Fencing
from instance_recovery.survey import Hypervisor, MaasSurvey, Survey

SPACES = {
    Network.MANAGEMENT: "space-mgmt",
    Network.TENANT: "space-ten",
    Network.STORAGE: "space-sto",
}
OFFERS = {
    "keystone-offer-url": "admin/openstack.keystone-credentials",
    "cert-distributor-offer-url": None,
}
NODES = ("h1", "h2")


def hypervisor(number: int, **changes: Any) -> Hypervisor:
    known = {
        "node": f"h{number}",
        "machine": str(number),
        "system_id": f"sys-h{number}",
        "spaces": frozenset(SPACES.values()),
    }
    return Hypervisor(**(known | changes))


def machine(number: int, **changes: Any) -> Machine:
    known = {
        "system_id": f"sys-h{number}",
        "hostname": f"h{number}",
        "fqdn": f"h{number}.maas",
        "power_type": "ipmi",
    }
    return Machine(**(known | changes))


def maas_survey(count: int = 2, **changes: Any) -> MaasSurvey:
    known = {
        "url": "http://maas:5240/MAAS",
        "account": Account(name="fencing", is_admin=True),
        "machines": [machine(number) for number in range(1, count + 1)],
        "power": {f"sys-h{number}": Power(state="on") for number in range(1, count + 1)},
    }
    return MaasSurvey(**(known | changes))


def survey(count: int = 2, **changes: Any) -> Survey:
    known = {
        "is_maas": True,
        "hypervisors": [hypervisor(number) for number in range(1, count + 1)],
        "compute_services": [f"h{number}.maas" for number in range(1, count + 1)],
        "shared_storage": True,
        "spaces": SPACES,
        "known_spaces": frozenset({*SPACES.values(), "alpha"}),
        "offers": OFFERS,
        "maas": maas_survey(count),
    }
    return Survey(**(known | changes))


def wanted(**changes: Any) -> Wanted:
    known = {
        "networks": tuple(Network),
        "fencing": Fencing.MAAS,
        "hypervisors": NODES,
        "place": Place(
            control_uuid="uuid-control",
            machines_uuid="uuid-machines",
            region="RegionOne",
            units=3,
            own_mysql=False,
            spaces=SPACES,
            offers=OFFERS,
        ),
        "maas_url": "http://maas:5240/MAAS",
    }
    return Wanted(**(known | changes))


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_s(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Transcript:
    """Progress, as an operator would see it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextlib.contextmanager
    def step(self, number: int, of: int, title: str) -> Iterator[Callable[[str], None]]:
        self.lines.append(f"[{number}/{of}] {title}")
        yield self.lines.append


class FakeCloud:
    """Juju, Terraform and the charms' actions; implements ``ports.Cloud``.

    ``fail_at`` names a verb that fails once; ``fail_after`` lets it take effect before.
    """

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, str]] = {}
        self.grants: set[tuple[str, str]] = set()
        self.applications: dict[Model, dict[str, str]] = {Model.CONTROL: {}, Model.MACHINES: {}}
        self.config: dict[str, dict[str, str]] = {}
        self.consumed: dict[Model, set[str]] = {Model.CONTROL: set(), Model.MACHINES: set()}
        self.variables: dict[str, Any] | None = None
        self.kept_manifests = 0
        self.shared = False
        self.verbs: list[str] = []
        self.fail_at: str | None = None
        self.fail_after = False
        self.hosts = {"segment": {f"{node}.maas": True for node in NODES}}
        self.fences = dict.fromkeys([f"{node}.maas" for node in NODES], "ok")
        self.incidents: list[dict[str, Any]] = []
        self.pauses: list[dict[str, Any]] = []
        self.guards: dict[str, str] = {}
        self.broken_actions: set[str] = set()
        self.drills: list[tuple[str, Mapping[str, object]]] = []
        self.findings: list[dict[str, Any]] = []
        self.unrest: dict[str, Any] = {}
        self.break_action: Exception | None = None
        self.scales: dict[str, int] = {}

    @contextlib.contextmanager
    def _verb(self, name: str) -> Iterator[None]:
        self.verbs.append(name)
        fails = self.fail_at == name
        if fails and not self.fail_after:
            self.fail_at = None
            raise CloudError(name, "the connection broke", hint="Look at juju status")
        yield
        if fails:
            self.fail_at = None
            raise CloudError(name, "the connection broke", hint="Look at juju status")

    def keep_manifest(self) -> None:
        with self._verb("keep_manifest"):
            self.kept_manifests += 1

    def ensure_secret(self, name: str, content: Mapping[str, str]) -> str:
        with self._verb("ensure_secret"):
            self.secrets[name] = dict(content)
        return f"id-{name}"

    def secret_id(self, name: str) -> str | None:
        return f"id-{name}" if name in self.secrets else None

    def grant_secret(self, name: str, *, to: str) -> None:
        with self._verb("grant_secret"):
            assert to in self.applications[Model.MACHINES], "granted to nobody"
            self.grants.add((name, to))

    def remove_secret(self, name: str) -> None:
        with self._verb("remove_secret"):
            self.secrets.pop(name, None)

    def deploy_file(self, charm: CharmFile) -> None:
        with self._verb("deploy_file"):
            self.applications[charm.model][charm.application] = str(charm.path)
            self.config[charm.application] = dict(charm.config)

    def set_config(self, application: str, model: Model, config: Mapping[str, str]) -> None:
        with self._verb("set_config"):
            self.config.setdefault(application, {}).update(config)

    def apply(self, variables: Mapping[str, object], tell: Callable[[str], None]) -> None:
        with self._verb("apply"):
            self.variables = json.loads(json.dumps(variables))
            from_files = variables["from-files"]
            networks = variables["networks"]
            control = {f"consul-{network}": "plan" for network in networks}
            machines = {f"consul-client-{network}": "plan" for network in networks}
            control["masakari-mysql-router"] = "plan"
            if variables["own-mysql"]:
                control["masakari-mysql"] = "plan"
            if not from_files:
                control["masakari"] = "plan"
                machines["masakari-monitors"] = "plan"
                if variables["fencing"]:
                    machines["hacluster-shim"] = "plan"
            self.applications[Model.CONTROL].update(control)
            self.applications[Model.MACHINES].update(machines)
            self.consumed[Model.CONTROL] = set(plan.CONSUMED[Model.CONTROL])
            self.consumed[Model.MACHINES] = {f"consul-{n}-cluster" for n in networks} | {
                "keystone-credentials"
            }

    def destroy(self, tell: Callable[[str], None]) -> None:
        with self._verb("destroy"):
            for model, found in self.applications.items():
                self.applications[model] = {n: o for n, o in found.items() if o != "plan"}
            self.variables = None

    def share_addresses(self, tell: Callable[[str], None]) -> None:
        with self._verb("share_addresses"):
            self.shared = True

    def disconnect(self, model: Model, offers: Sequence[str]) -> None:
        with self._verb("disconnect"):
            self.consumed[model] -= set(offers)

    def remove(self, model: Model, applications: Sequence[str]) -> None:
        with self._verb("remove"):
            for name in applications:
                self.applications[model].pop(name, None)

    def present(self, model: Model) -> frozenset[str]:
        return frozenset(self.applications[model])

    def wait_active(
        self,
        model: Model,
        applications: Sequence[str],
        *,
        within_s: float,
        tell: Callable[[str], None],
    ) -> None:
        with self._verb("wait_active"):
            missing = set(applications) - set(self.applications[model])
            assert not missing, missing

    def run(
        self, application: str, model: Model, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        if application not in self.applications[model]:
            raise ApplicationMissingError(application, "it is not there", hint="Enable it")
        if action in self.broken_actions:
            raise ActionFailedError(action, "the charm is unwell", hint="Look", results={})
        with self._verb(action):
            return getattr(self, "_" + action.replace("-", "_"))(params)

    def run_at(
        self, application: str, machine: str, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        self.drills.append((machine, params))
        return {"server": str(params["server"])}

    def _check(self, params):
        return {"masakari-engine": "ok"}

    def _list_segments(self, params):
        return {"segments": json.dumps([{"name": name} for name in self.hosts])}

    def _list_hosts(self, params):
        rows = [
            {
                "name": name,
                "segment": params["segment"],
                "protected": protected,
                "why": "" if protected else "it has no fence",
            }
            for name, protected in self.hosts[params["segment"]].items()
        ]
        return {"hosts": json.dumps(rows)}

    def _delete_segment(self, params):
        assert params["confirm"]
        del self.hosts[params["segment"]]
        return {"segment": "{}"}

    def _list_findings(self, params):
        return {"findings": json.dumps(self.findings)}

    def _list_incidents(self, params):
        return {"incidents": json.dumps(self.incidents)}

    def _show_guards(self, params):
        names = [name for hosts in self.hosts.values() for name in hosts]
        rows = [
            {"host": n, "guard": self.guards.get(n, "none"), "reason": "it is paused"}
            for n in names
        ]
        return {"guards": json.dumps(rows)}

    def _show_pauses(self, params):
        return {"pauses": json.dumps(self.pauses)}

    def _pause_recovery(self, params):
        made = {
            "id": len(self.pauses) + 1,
            "name": params.get("host", ""),
            "scope": "host" if "host" in params else "cloud",
            "reason": params["reason"],
            "duration": params.get("duration"),
        }
        self.pauses.append(made)
        return {"pause": json.dumps(made)}

    def _resume_recovery(self, params):
        self.pauses = [
            each
            for each in self.pauses
            if (
                each["id"] != params["id"]
                if "id" in params
                else each["name"] != params.get("host", "")
            )
        ]
        return {"pauses": "[]"}

    def _test_fencing(self, params):
        rows = {name: {"result": result, "rungs": {}} for name, result in self.fences.items()}
        answer = {"hypervisors": json.dumps(rows)}
        if "failed" in self.fences.values():
            raise ActionFailedError(
                "test-fencing", "cannot be fenced", hint="Look", results=answer
            )
        return answer
