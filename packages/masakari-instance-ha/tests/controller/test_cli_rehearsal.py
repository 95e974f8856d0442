# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What would happen, were hosts lost now, and who is ready for it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from oslo_config import cfg

from instance_ha.model import Event, IncidentState
from instance_ha.names import MISNAMED, Finding
from masakari_instance_ha import options, spare

from . import beside

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")


class Placement:
    """Resource providers that know what is taken, as strict as the real one's queries."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.providers: dict[str, dict[str, int]] = {}
        """Nova's host -> capacity; the provider has the hypervisor's name."""
        self.traits: dict[str, set[str]] = {}
        self.held: dict[str, tuple[str, dict[str, int]]] = {}
        """Server -> host and amounts."""

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any] | None:
        service, *rest = path.strip("/").split("/")
        if service != "placement":
            return None
        match rest:
            case ["resource_providers"]:
                found = [{"uuid": f"rp-{h}", "name": f"{h}.example"} for h in self.providers]
                return 200, {"resource_providers": found}
            case ["allocations", server]:
                if server not in self.held:
                    return 200, {"allocations": {}}
                host, amounts = self.held[server]
                return 200, {"allocations": {f"rp-{host}": {"resources": amounts}}}
            case ["allocation_candidates"]:
                return 200, self.candidates(query)
            case _:
                links = [{"rel": "self", "href": f"{self.url}/placement/"}]
                known = {"id": "v1.0", "max_version": "1.39", "min_version": "1.0"}
                return 200, {"versions": [{**known, "status": "CURRENT", "links": links}]}

    def candidates(self, query: dict[str, str]) -> dict[str, Any]:
        asked = {
            kind: int(amount)
            for kind, _, amount in (each.partition(":") for each in query["resources"].split(","))
        }
        wanted = [word for word in query.get("required", "").split(",") if word]
        free = {h: self.free(h) for h in self.providers if self.suits(h, wanted)}
        fits = [h for h in free if all(free[h].get(k, 0) >= n for k, n in asked.items())]
        return {
            "allocation_requests": [
                {"allocations": {f"rp-{host}": {"resources": asked}}} for host in fits
            ],
            "provider_summaries": {
                f"rp-{host}": {
                    "root_provider_uuid": f"rp-{host}",
                    "resources": {
                        kind: {"capacity": total, "used": total - free[host][kind]}
                        for kind, total in self.providers[host].items()
                    },
                }
                for host in fits
            },
        }

    def free(self, host: str) -> dict[str, int]:
        left = dict(self.providers[host])
        for place, amounts in self.held.values():
            if place == host:
                for kind, amount in amounts.items():
                    left[kind] -= amount
        return left

    def suits(self, host: str, wanted: list[str]) -> bool:
        has = self.traits.get(host, set())
        return all(word[1:] not in has if word.startswith("!") else word in has for word in wanted)


@pytest.fixture
def placement(openstack_cloud, monkeypatch: pytest.MonkeyPatch) -> Placement:
    made = Placement(openstack_cloud.url)
    beside.serve(
        openstack_cloud, monkeypatch, kind="placement", path="/placement", answer=made.answer
    )
    return made


@pytest.fixture
def cloud(openstack_cloud, placement, journal, config):
    """Three hosts of 8 GB each; a way to put a server on one."""
    openstack_cloud.enrol("h1", "h2", "h3")
    for service in openstack_cloud.services:
        service["zone"] = "az2" if service["host"] == "h3" else "az1"
    for name in ("h1", "h2", "h3"):
        placement.providers[name] = {"VCPU": 16, "MEMORY_MB": 8192}
    openstack_cloud.services.append(
        {"id": "s", "host": "c1", "binary": "nova-scheduler", "state": "up", "status": "enabled"}
    )
    # of three hosts one may fail by default; here the guards are not the subject
    config.write_text(
        config.read_text().replace(
            "[instance_ha]\n",
            "[instance_ha]\nmax_failing_percent = 100\nmax_failing_domain_percent = 100\n",
        )
    )

    def put(name: str, host: str, memory: int = 4096, **said: Any) -> None:
        openstack_cloud.servers.append(
            {"id": f"id-{name}", "name": name, "host": host, "OS-EXT-STS:vm_state": "active",
             "metadata": {}, **said}
        )  # fmt: skip
        placement.held[f"id-{name}"] = (host, {"VCPU": 1, "MEMORY_MB": memory})

    openstack_cloud.put = put
    return openstack_cloud


def went(answer: dict[str, Any]) -> dict[str, str | None]:
    return {server["name"]: server["to"] for server in answer["servers"]}


class TestSimulate:
    def test_tells_who_goes_where_and_who_finds_no_room(self, ask, cloud):
        cloud.put("a", "h1")
        cloud.put("b", "h1", metadata={"instance-ha:priority": "5"})
        cloud.put("c", "h1")
        cloud.put("full", "h2", 8192)
        cloud.put("half", "h3", 2048)

        answer = ask("simulate", "h1")

        assert went(answer) == {"b": "h3", "a": None, "c": None}
        assert answer["without_room"] == 2
        why = {server["name"]: server["why"] for server in answer["servers"]}
        assert why["a"] == "h3 would be full by then"
        (host,) = answer["hosts"]
        assert (host["moved"], host["without_room"], host["guard"]) == (1, 2, "none")
        assert cloud.written() == []

    def test_lost_hosts_take_nobody_over(self, ask, cloud):
        cloud.put("a", "h1")
        cloud.put("b", "h2")

        answer = ask("simulate", "h1, h2")

        assert went(answer) == {"a": "h3", "b": "h3"}

    def test_a_zone_is_all_its_hosts(self, ask, run, cloud):
        cloud.put("a", "h1")

        assert [host["host"] for host in ask("simulate", "--zone", "az1")["hosts"]] == ["h1", "h2"]
        code, _, err = run("simulate", "--zone", "az9")
        assert (code, "az1, az2" in err) == (2, True)

    def test_reserves_take_over_where_the_method_says_so(self, ask, cloud):
        cloud.segments[0]["recovery_method"] = "reserved_host"
        cloud.hosts[2]["reserved"] = True
        cloud.services[2]["status"] = "disabled"
        cloud.put("a", "h1")

        assert went(ask("simulate", "h1")) == {"a": "h3"}

    def test_disabled_hosts_take_nobody_over(self, ask, cloud):
        cloud.services[1]["status"] = "disabled"
        cloud.services[2]["forced_down"] = True
        cloud.put("a", "h1")

        answer = ask("simulate", "h1")

        assert answer["servers"][0]["why"] == "no host is left that could take over"

    def test_traits_of_the_flavor_count(self, ask, cloud, placement):
        placement.traits = {"h2": {"HW_CPU_X86_AVX"}, "h3": {"HW_CPU_X86_AVX", "CUSTOM_SLOW"}}
        specs = {"trait:HW_CPU_X86_AVX": "required", "trait:CUSTOM_SLOW": "forbidden"}
        cloud.put("a", "h1", flavor={"extra_specs": specs})

        assert went(ask("simulate", "h1")) == {"a": "h2"}

    def test_what_a_recovery_leaves_is_told_with_the_reason(self, ask, cloud):
        cloud.put("amphora-0a5c0a5c-0a5c-0a5c-0a5c-0a5c0a5c0a5c", "h1")

        answer = ask("simulate", "h1")

        assert answer["hosts"][0]["left_by_rule"] == 1
        assert "replaced by its own service" in answer["servers"][0]["why"]

    def test_server_that_holds_nothing_in_placement_finds_no_room(self, ask, cloud, placement):
        cloud.put("a", "h1")
        placement.held.clear()

        assert went(ask("simulate", "h1")) == {"a": None}

    def test_guards_count_all_that_is_supposed_to_be_lost(self, ask, cloud, config):
        config.write_text(
            config.read_text().replace("max_failing_percent = 100", "max_failing_percent = 50")
        )

        one, three = ask("simulate", "h1"), ask("simulate", "h1,h2,h3")

        assert one["hosts"][0]["guard"] == "none"
        assert {host["guard"] for host in three["hosts"]} != {"none"}

    def test_time_is_expected_by_past_recoveries(self, ask, run, cloud, journal):
        cloud.put("a", "h1")
        assert ask("simulate", "h1")["hosts"][0]["expected_recovered_s"] is None
        assert "no recovery yet" in run("simulate", "h1")[1]
        start_s = time.time()
        incident = journal.open("h2", segment="seg1", at_s=start_s, reason="lost")
        for after_s, kind in ((10, "proof"), (12, "evacuate"), (20, "active"), (25, "recovered")):
            detail = {"server": "x"} if kind in {"evacuate", "active"} else {}
            journal.record(
                incident,
                Event(at_s=start_s + after_s, actor="e", kind=kind, text="", detail=detail),
            )
        journal.move(incident, IncidentState.CLOSED, at_s=start_s + 60)

        host = ask("simulate", "h1")["hosts"][0]

        assert (host["expected_proof_s"], host["expected_recovered_s"]) == (10.0, 18.0)
        assert "expected: over after 18.0 s" in run("simulate", "h1")[1]

    @pytest.mark.parametrize("hosts", ["h9", "h1,h9", ","])
    def test_hosts_that_nobody_enrolled_are_wrong_input(self, run, cloud, hosts):
        assert run("simulate", hosts)[0] == 2


class TestReadiness:
    def test_names_what_would_keep_a_host_from_recovery(self, ask, run, cloud, journal):
        cloud.put("a", "h1")
        finding = Finding(
            kind=MISNAMED, about="h2", fact="nova calls it h2, masakari H2", consequence="c",
            advice="enrol it by nova's name",
        )  # fmt: skip
        journal.board().post([finding], at_s=1.0)

        answer = ask("readiness")

        hosts = {host["host"]: host for host in answer["hosts"]}
        assert hosts["h1"]["names"] == "agree"
        assert hosts["h2"]["names"] == "disagree"
        assert any("masakari H2" in problem for problem in hosts["h2"]["problems"])
        assert hosts["h1"]["fence"] == "failed", "none by choice proves nothing"
        assert answer["ready"] == 0
        assert "h1 of seg1: NOT READY" in run("readiness")[1]
        assert cloud.written() == []

    def test_counts_how_many_hosts_may_be_lost_at_once(self, ask, cloud):
        for host in ("h1", "h2", "h3"):
            cloud.put(f"on-{host}", host, 4096)

        assert ask("readiness")["spare"] == {"seg1": 1}

    def test_the_metric_counts_the_same(self, cloud, config):
        for host in ("h1", "h2", "h3"):
            cloud.put(f"on-{host}", host, 4096)
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf(["--config-file", str(config)], default_config_files=[])

        assert spare.count(conf) == {"seg1": 1}
        assert cloud.written() == []

    def test_storage_is_told_by_where_disks_are(self, ask, cloud, config):
        cloud.put("volume", "h1")
        cloud.put("image", "h2", image={"id": "i"})

        told = {host["host"]: host["storage"] for host in ask("readiness")["hosts"]}

        assert told["h1"] == told["h3"] == "volumes"
        assert told["h2"] == "1 disks are looked for when it is lost"
        config.write_text(config.read_text() + "[instance_ha_servers]\ndisks = shared\n")
        assert "operator's word" in ask("readiness")["hosts"][1]["storage"]

    def test_no_host_says_what_comes_next(self, run, openstack_cloud, journal):
        assert "host add" in run("readiness")[1]
