# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import keystoneauth1.exceptions
import novaclient.exceptions
import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.nova import Nova, NovaRefusedError

from .nova_cloud import FakeMigration


@pytest.fixture
def nova(cloud) -> Nova:
    return Nova(None)


def test_forcing_down_again_changes_nothing(nova: Nova, cloud) -> None:
    assert nova.force_down("h1")
    assert not nova.force_down("h1")
    assert nova.forced_down_hosts() == {"h1"}


def test_a_host_that_nova_does_not_know_is_named_with_the_next_command(nova: Nova) -> None:
    with pytest.raises(NovaRefusedError, match=r"nova-compute of h9.*compute service list"):
        nova.force_down("h9")


def test_a_server_that_was_deleted_is_none(nova: Nova, cloud) -> None:
    assert nova.server("gone") is None


def test_the_newest_evacuation_of_a_server_counts(nova: Nova, cloud) -> None:
    cloud.boot("a")
    nova.force_down("h1")
    nova.evacuate("a", target=None)
    nova.reset_to_error("a")
    nova.evacuate("a", target="h3")

    assert nova.evacuations_from("h1")["a"].destination == "h3"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        pytest.param(novaclient.exceptions.BadRequest(400, "no"), NovaRefusedError, id="400"),
        pytest.param(novaclient.exceptions.Forbidden(403, "no"), NovaRefusedError, id="403"),
        pytest.param(novaclient.exceptions.Conflict(409, "no"), NovaRefusedError, id="409"),
        pytest.param(
            novaclient.exceptions.ClientException(500, "oops"), CloudUnreachableError, id="500"
        ),
        pytest.param(
            keystoneauth1.exceptions.ConnectFailure("no"), CloudUnreachableError, id="refused"
        ),
        pytest.param(
            keystoneauth1.exceptions.DiscoveryFailure("no"), CloudUnreachableError, id="discovery"
        ),
    ],
)
def test_failures_are_translated(cloud, failure: Exception, expected: type[Exception]) -> None:
    def fail(_uuid: str) -> None:
        raise failure

    cloud.stop = fail

    with pytest.raises(expected, match="nova does not stop server a"):
        Nova(None).stop("a")


def test_a_call_does_not_wait_for_ever_and_all_share_one_login(cloud) -> None:
    sessions = [Nova(None).session for _ in range(3)]

    assert sessions[0].timeout == 60
    assert {id(session) for session in sessions} == {id(sessions[0])}


REFUSED = """Traceback (most recent call last):
  File "/nova/virt/libvirt/driver.py", line 2368, in _attach_encryptor
    key = keymgr.get(context, encryption['encryption_key_id'])
barbicanclient.exceptions.HTTPClientError: Forbidden: Secret payload retrieval not allowed

During handling of the above exception, another exception occurred:

castellan.common.exception.KeyManagerError: Key manager error: Forbidden: not allowed
"""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param({"message": "No valid host"}, "No valid host", id="of Nova's own"),
        pytest.param(
            {"message": "TypeError", "details": "Traceback\n  File\nTypeError: no such disk\n"},
            "TypeError: no such disk",
            id="of another's",
        ),
        pytest.param(
            {"message": "Build of (a aborted: b", "details": "nova.Aborted: Build of (a: b"},
            "Build of (a aborted: b",
            id="a sentence is no name",
        ),
        pytest.param(
            {"message": "KeyManagerError", "details": REFUSED, "code": 500},
            "KeyManagerError: Key manager error: Forbidden: not allowed. Its volume is encrypted: "
            "let Masakari's service user read the key, with enable-secret-access or the role "
            "secret-decrypter",
            id="a key that may not be read",
        ),
        pytest.param(
            {"message": "KeyManagerError", "details": "x.KeyManagerError: Key: no connection"},
            "KeyManagerError: Key: no connection",
            id="a key manager that is away",
        ),
        pytest.param({}, "", id="nothing"),
    ],
)
def test_a_failure_is_told_with_its_reason(nova: Nova, cloud, fault, told: str) -> None:
    cloud.boot("a", said={"fault": fault})
    found = nova.server("a")
    assert found is not None
    assert found.fault == told


@pytest.mark.parametrize(
    ("statuses", "may_be_on"),
    [
        (["pre-migrating"], "h2"),
        (["accepted"], None),
        (["pre-migrating", "failed"], "h2"),
        (["pre-migrating", "accepted", "error"], "h2"),
        (["pre-migrating", "done", "failed"], None),
        (["failed", "failed"], None),
        (["failed", "pre-migrating", "accepted"], "h2"),
        (["done", "accepted"], None),
    ],
)
def test_a_host_that_began_and_never_ended_may_have_the_server(
    nova: Nova, cloud, statuses, may_be_on
) -> None:
    cloud.boot("a")
    for number, status in enumerate(statuses, start=1):
        cloud.migrated.append(FakeMigration(number, "a", "h1", "h2", 1e9, "active", status=status))

    begun = nova.evacuations_from("h1")["a"].begun(nova.server("a"))

    assert {one.destination for one in begun} == ({may_be_on} if may_be_on else set())


@pytest.mark.parametrize(
    ("launched_at_s", "started"),
    [(980, False), (995, True), (1000, True), (1060, True), (1075, False)],
)
def test_a_failed_rebuild_that_had_started_its_guest_is_told_by_the_time_of_that(
    nova: Nova, cloud, launched_at_s, started
) -> None:
    cloud.boot("a", launched_at_s=launched_at_s)
    cloud.migrated.append(
        FakeMigration(1, "a", "h1", "h2", 1000.0, "active", status="failed", failed_at_s=1060.0)
    )

    begun = nova.evacuations_from("h1")["a"].begun(nova.server("a"))

    assert [one.destination for one in begun] == ["h2"] * started
