# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Options as charm-hacluster had them: they work, and the status asks for the change."""

import ops
import pytest
from ops import testing

from hacluster_shim import config

from .test_charm import CONFIG, KEY, SECRET, hypervisors, offered, state

PLAIN = "old:token:p1ain"
OLD = {"maas_url": "http://10.0.0.9/MAAS", "maas_credentials": PLAIN}


def run(ctx, options: dict[str, object]) -> tuple[testing.State, dict[str, object]]:
    known, fencing = hypervisors("h1"), testing.Relation("fencing")
    out = ctx.run(ctx.on.config_changed(), state(known, fencing, config=options))
    return out, offered(out, fencing)


def test_the_old_options_alone_work_and_the_key_travels_as_a_secret(ctx, machines):
    out, offer = run(ctx, OLD)

    assert offer["maas_url"] == OLD["maas_url"]
    assert offer["targets"]["h1"]["result"] == "ok"
    assert out.get_secret(label="fencing-credentials").latest_content == {"api-key": PLAIN}
    assert "p1ain" not in str(offer)
    assert not [entry for entry in ctx.juju_log if "p1ain" in entry.message]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (OLD, "maas_credentials is plain text: use maas-credentials"),
        (CONFIG | OLD, "maas_credentials is plain text: use maas-credentials"),
        (
            {"maas_url": "http://m/MAAS", "maas-credentials": SECRET.id},
            "maas_url is deprecated: use maas-url",
        ),
    ],
)
def test_the_status_asks_for_the_change_while_all_works(ctx, machines, options, words):
    out, _ = run(ctx, options)

    assert out.unit_status == testing.ActiveStatus(words)


def test_where_both_are_set_the_new_ones_win(ctx, machines):
    _, offer = run(ctx, CONFIG | OLD)

    assert offer["maas_url"] == CONFIG["maas-url"]
    assert machines.keys == [KEY]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"maas_url": "10.0.0.9"}, "config: maas_url: String should match pattern"),
        (OLD | {"maas_credentials": "p1ain"}, "maas_credentials must be A:B:C"),
        ({"maas_url": OLD["maas_url"]}, "config: set maas-credentials to a secret"),
    ],
)
def test_an_old_option_that_cannot_be_used_is_named_by_its_name(ctx, machines, options, words):
    known = hypervisors("h1")

    out = ctx.run(ctx.on.config_changed(), state(known, config=options))

    assert isinstance(out.unit_status, ops.BlockedStatus)
    assert out.unit_status.message.startswith(words)
    assert "p1ain" not in out.unit_status.message


@pytest.mark.parametrize("order", [sorted, lambda pairs: sorted(pairs, reverse=True)])
def test_the_order_in_which_juju_tells_options_decides_nothing(order):
    options = config.load(dict(order((CONFIG | OLD).items())))

    assert (options.maas_url, options.old_maas_url) == (CONFIG["maas-url"], OLD["maas_url"])
