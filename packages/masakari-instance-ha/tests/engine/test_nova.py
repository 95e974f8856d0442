# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import keystoneauth1.exceptions
import novaclient.exceptions
import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.nova import Nova, NovaRefusedError


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
