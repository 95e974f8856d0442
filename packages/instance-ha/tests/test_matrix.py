# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instance_ha.errors import MatrixError
from instance_ha.matrix import Matrix, default_matrix
from instance_ha.model import Action, Network, Reach

MANAGEMENT, TENANT, STORAGE = Network
ALL = tuple(Network)
NONE, MIGRATE, RECOVERY = Action.NONE, Action.MIGRATE, Action.RECOVERY

reaches = st.fixed_dictionaries({}, optional={n: st.sampled_from(Reach) for n in Network})
declared = st.sets(st.sampled_from(Network), min_size=1).filter(lambda s: s != {TENANT})


def reach(words: str, networks: tuple[Network, ...] = ALL) -> dict[Network, Reach]:
    return dict(zip(networks, map(Reach, words.split()), strict=True))


@pytest.mark.parametrize(
    ("states", "action"),
    [
        ("up up up", NONE),
        ("up up down", RECOVERY),
        ("up down up", NONE),
        ("up down down", RECOVERY),
        ("down up up", NONE),
        ("down up down", RECOVERY),
        ("down down up", NONE),
        ("down down down", RECOVERY),
    ],
)
def test_published_table(states: str, action: Action):
    assert default_matrix(ALL).action(reach(states)) is action


@pytest.mark.parametrize(
    ("states", "action"),
    [("up up", NONE), ("up down", RECOVERY), ("down up", NONE), ("down down", RECOVERY)],
)
def test_storage_decides_of_two(states: str, action: Action):
    networks = (MANAGEMENT, STORAGE)

    assert default_matrix(networks).action(reach(states, networks)) is action


def test_management_stands_for_a_storage_network_that_is_not_declared():
    two, one = default_matrix([TENANT, MANAGEMENT]), default_matrix([MANAGEMENT])

    assert two.action({MANAGEMENT: Reach.DOWN, TENANT: Reach.UP}) is RECOVERY
    assert two.action({MANAGEMENT: Reach.UP, TENANT: Reach.DOWN}) is NONE
    assert one.action({MANAGEMENT: Reach.DOWN}) is RECOVERY


@pytest.mark.parametrize("networks", [[], [TENANT]], ids=["none", "tenant alone"])
def test_networks_that_decide_nothing_are_refused(networks: list[Network]):
    with pytest.raises(MatrixError, match="integrate consul-storage"):
        default_matrix(networks)


@pytest.mark.parametrize(
    ("states", "action"),
    [
        pytest.param("up up unknown", NONE, id="the deciding one is unknown"),
        pytest.param("unknown up down", RECOVERY, id="another one is unknown"),
        pytest.param("unknown unknown down", NONE, id="one network alone never decides"),
        pytest.param("left up down", NONE, id="planned stop"),
        pytest.param("left left left", NONE, id="left everywhere"),
        pytest.param("unknown unknown unknown", NONE, id="nobody knows anything"),
    ],
)
def test_unknown_and_left_never_recover(states: str, action: Action):
    assert default_matrix(ALL).action(reach(states)) is action


@given(networks=declared, seen=reaches)
def test_what_is_recovered_would_be_so_whatever_the_unknown_networks_hide(networks, seen):
    matrix = default_matrix(networks)
    if matrix.action(seen) is NONE:
        return
    unknown = [n for n in networks if seen.get(n, Reach.UNKNOWN) is Reach.UNKNOWN]

    assert Reach.LEFT not in {seen.get(n) for n in networks}
    for hidden in itertools.product((Reach.UP, Reach.DOWN), repeat=len(unknown)):
        assert matrix.action({**seen, **dict(zip(unknown, hidden, strict=True))}) is RECOVERY


@given(networks=declared, seen=reaches)
def test_a_host_is_never_both_lost_and_alive(networks, seen):
    matrix = default_matrix(networks)

    assert not (matrix.alive(seen) and matrix.action(seen) is RECOVERY)


@given(networks=declared)
def test_rows_are_read_as_they_are_written(networks):
    matrix = default_matrix(networks)

    assert Matrix.from_rows(matrix.as_rows(), networks) == matrix


def test_operator_may_ask_for_less():
    rows = default_matrix([MANAGEMENT, STORAGE]).as_rows()
    rows[1]["action"] = "none"

    matrix = Matrix.from_rows(rows, [STORAGE, MANAGEMENT])

    assert matrix.action({MANAGEMENT: Reach.UP, STORAGE: Reach.DOWN}) is NONE


def test_recovery_on_tenant_alone_must_be_forced():
    rows = default_matrix(ALL).as_rows()
    rows[2]["action"] = "recovery"

    with pytest.raises(MatrixError, match="force the matrix"):
        Matrix.from_rows(rows, ALL)

    forced = Matrix.from_rows(rows, ALL, force=True)
    assert forced.action(reach("up down up")) is RECOVERY


def matrix_with(changes: dict[int, str], *, force: bool = False) -> Matrix:
    """Return the default for three networks with some rows' actions replaced."""
    rows = default_matrix(ALL).as_rows()
    for number, action in changes.items():
        rows[number]["action"] = action
    return Matrix.from_rows(rows, ALL, force=force)


@pytest.mark.parametrize(
    ("states", "action"),
    [
        pytest.param("up down up", MIGRATE, id="tenant alone is down"),
        pytest.param("up unknown up", NONE, id="tenant is unknown"),
        pytest.param("up down unknown", NONE, id="storage is unknown: it may be a recovery"),
        pytest.param("unknown down up", NONE, id="management is unknown"),
        pytest.param("left down up", NONE, id="planned stop"),
        pytest.param("up down down", RECOVERY, id="storage too"),
        pytest.param("down down up", NONE, id="nobody to tell it over management"),
    ],
)
def test_the_loss_of_tenant_may_ask_to_migrate(states: str, action: Action):
    assert matrix_with({2: "migrate"}).action(reach(states)) is action


def test_a_host_that_is_to_migrate_is_alive():
    assert matrix_with({2: "migrate"}).alive(reach("up down up"))


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("row", [1, 3, 4, 5, 6, 7])
def test_only_a_host_that_has_lost_nothing_but_tenant_can_migrate(row: int, force: bool):
    with pytest.raises(MatrixError, match="needs every network but tenant up"):
        matrix_with({row: "migrate"}, force=force)


def test_t08_to_recover_a_loss_and_not_a_worse_one_is_a_contradiction():
    with pytest.raises(MatrixError, match="which is worse, does not; make them agree, or force"):
        matrix_with({7: "none"})

    assert matrix_with({7: "none"}, force=True).action(reach("down down down")) is NONE


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda rows: rows.pop(), "no row for 'management down, storage down'",
                     id="missing"),
        pytest.param(lambda rows: rows.append(rows[0]), "two rows for", id="twice"),
        pytest.param(lambda rows: rows[1].update(storage="gone"), "say up or down", id="state"),
        pytest.param(lambda rows: rows[1].update(action="reboot"), "say none, migrate, recovery",
                     id="action"),
        pytest.param(lambda rows: rows[1].update(lan="up"), "check: lan", id="unknown network"),
        pytest.param(lambda rows: rows[1].pop("action"), "check: action", id="no action"),
        pytest.param(lambda rows: rows[0].update(action="recovery"), "all networks up",
                     id="healthy host"),
    ],
)  # fmt: skip
def test_a_wrong_matrix_says_what_to_mend(change, says: str):
    rows = default_matrix([MANAGEMENT, STORAGE]).as_rows()
    change(rows)

    with pytest.raises(MatrixError, match=says):
        Matrix.from_rows(rows, [MANAGEMENT, STORAGE], force=True)
