# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from hacluster_shim.ring import look
from hacluster_shim.ring.daemons import RingError
from instance_ha.pacemaker import RingView

LINKS = """Local node ID 1, transport knet
nodeid: 2 reachable
   LINK: 0 udp (10.0.0.1->10.0.0.2) enabled connected mtu: 1397
   LINK: 1 udp (10.1.0.1->10.1.0.2) enabled disconnected mtu: 1397

nodeid: 3 reachable
   LINK: 0 udp (10.0.0.1->10.0.0.3) enabled connected mtu: 1397
"""


def view(*, dc: str = "one", quorate: bool = True) -> RingView:
    return RingView(dc=dc, quorate=quorate)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch):
    """Make the ring give these answers, one after the other; an error is raised."""

    def give(*said: RingView | RingError) -> None:
        left = list(said)

        def ring() -> RingView:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, RingError):
                raise answer
            return answer

        monkeypatch.setattr(look, "ring", ring)

    return give


def test_links_are_told_by_node_and_number(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, ...]] = []

    def tool(*argv: str) -> str:
        asked.append(argv)
        return LINKS

    monkeypatch.setattr(look, "tool", tool)

    assert look.links() == {
        "2": {"0": "enabled connected", "1": "enabled disconnected"},
        "3": {"0": "enabled connected"},
    }
    assert asked == [("corosync-cfgtool", "-n")]


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="at once"),
        pytest.param([RingError("it starts")], id="after it was silent"),
        pytest.param([view(quorate=False)], id="after it had no quorum"),
        pytest.param([view(dc="")], id="after nobody decided"),
    ],
)
def test_a_ring_is_settled_once_it_has_a_quorum_and_a_decider(answers, before):
    answers(*before, view())

    assert look.settled(within_s=30) == view()


def test_a_ring_that_does_not_settle_is_not_waited_for_longer(answers):
    answers(view(quorate=False))

    assert look.settled(within_s=0) is None
