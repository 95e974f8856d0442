# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import pytest
from ops import testing

from .cloud import (
    API,
    DATABASE,
    ENGINE,
    FENCING,
    GRANTED,
    HOSTMONITOR,
    PEM,
    SECRETS,
    Cloud,
    changed,
    instead,
)

ALL = {API, ENGINE, HOSTMONITOR}


def shown(cloud: Cloud, state: testing.State) -> list[str]:
    """Return what others can see of a unit: status, log, databags, plans, commands."""
    found = [state.unit_status.message, *(one.message for one in cloud.context.juju_log)]
    found += [json.dumps(relation.local_app_data) for relation in state.relations]
    found += [json.dumps(relation.local_unit_data) for relation in state.relations]
    found += [str(one.plan.to_dict()) for one in state.containers]
    for history in cloud.context.exec_history.values():
        found += [f"{args.command} {args.environment}" for args in history]
    return found


class TestSecrets:
    def test_rotated_service_user_is_taken_over(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        rotated = testing.Secret(
            {"username": "svc_masakari-1", "password": SECRETS[2]},
            latest_content={"username": "svc_masakari-2", "password": "new-passw0rd"},
            id="secret:keystone",
        )
        state = cloud.again(
            dataclasses.replace(state, secrets={*GRANTED[:1], rotated, GRANTED[2]})
        )

        state = cloud.context.run(cloud.context.on.secret_changed(rotated), state)

        for name, file in (
            (API, "masakari.conf"),
            (ENGINE, "masakari.conf"),
            (HOSTMONITOR, "masakarimonitors.conf"),
            (ENGINE, "instance-ha.conf"),
        ):
            assert "new-passw0rd" in cloud.file(name, file)
            assert SECRETS[2] not in cloud.file(name, file)
        assert cloud.replans == [API, ENGINE, HOSTMONITOR] * 2

    @pytest.mark.parametrize("trouble", ["none", "migration", "check"])
    def test_secrets_show_nowhere_but_in_files(self, cloud: Cloud, trouble: str):
        cloud.migration_fails = trouble == "migration"
        cloud.check_fails_in = {ENGINE} if trouble == "check" else set()

        state = cloud.run(cloud.state())

        for value in SECRETS:
            assert not [text for text in shown(cloud, state) if value in text]

    @pytest.mark.parametrize("action", ["check", "list-incidents", "show-readiness"])
    def test_actions_tell_no_secret(self, cloud: Cloud, action: str):
        state = cloud.run(cloud.state())
        cloud.check_fails_in = {ENGINE, HOSTMONITOR}
        cloud.complaint = (
            f"Traceback (most recent call last):\n  connect('{SECRETS[0]}')\n"
            f"cannot reach mysql+pymysql://db-user:{SECRETS[0]}@db:6446/masakari_api"
        )

        with pytest.raises(testing.ActionFailed, match="cannot reach") as failed:
            cloud.context.run(cloud.context.on.action(action), cloud.again(state))

        shown = [failed.value.message, json.dumps(cloud.context.action_results)]
        shown += [one.message for one in cloud.context.juju_log]
        for value in SECRETS:
            assert not [text for text in shown if value in text]

    def test_api_gets_no_power_to_fence(self, cloud: Cloud):
        cloud.run(cloud.state())

        assert cloud.file(API, "maas-credentials") is None
        assert cloud.file(API, "instance-ha.conf") is None

    def test_database_over_tls_is_checked_against_its_authority(self, cloud: Cloud):
        database = changed(DATABASE, secret_tls="secret:tls")
        tls = testing.Secret({"tls": "True", "tls-ca": PEM}, id="secret:tls")

        cloud.run(cloud.state(*instead(database), secrets=(*GRANTED, tls)))

        assert cloud.file(ENGINE, "database-ca.pem") == f"{PEM}\n"
        assert "?ssl_ca=/etc/masakari/database-ca.pem" in cloud.file(ENGINE, "masakari.conf")

    def test_authorities_are_trusted(self, cloud: Cloud):
        authority = testing.Relation(
            "receive-ca-cert", remote_app_name="keystone", remote_units_data={0: {"ca": PEM}}
        )

        cloud.run(cloud.state(*instead(), authority))

        for name in (API, ENGINE, HOSTMONITOR):
            assert cloud.file(name, "ca-bundle.pem") == f"{PEM}\n"

    def test_power_controllers_reach_those_who_fence_and_go_with_the_relation(self, cloud: Cloud):
        bmcs = testing.Secret({"bmcs": '{"h1": [{"password": "p4ss"}]}'}, id="secret:bmcs")
        ceph = testing.Secret({"key": "AQBkZXYK"}, id="secret:ceph")
        more = {
            "bmcs": '"secret:bmcs"',
            "ceph_hosts": '["10.0.0.1"]',
            "ceph_user": '"shim"',
            "ceph_credentials": '"secret:ceph"',
        }
        offering = dataclasses.replace(
            FENCING, remote_app_data={**FENCING.remote_app_data, **more}
        )
        base = cloud.state()
        state = dataclasses.replace(
            base,
            relations={r for r in base.relations if r.endpoint != "fencing"} | {offering},
            secrets={*base.secrets, bmcs, ceph},
        )

        out = cloud.run(state)

        assert "p4ss" in cloud.file(ENGINE, "bmc-credentials")
        assert "p4ss" in cloud.file(HOSTMONITOR, "bmc-credentials")
        assert cloud.file(API, "bmc-credentials") is None
        assert "AQBkZXYK" in cloud.file(ENGINE, "ceph-keyring")
        assert "AQBkZXYK" in cloud.file(HOSTMONITOR, "ceph-keyring")
        for value in ("p4ss", "AQBkZXYK"):
            assert not [text for text in shown(cloud, out) if value in text]

        (offered,) = [one for one in out.relations if one.endpoint == "fencing"]
        state = cloud.again(out)
        cloud.context.run(cloud.context.on.relation_broken(offered), state)

        assert cloud.file(ENGINE, "bmc-credentials") is None
        assert cloud.file(ENGINE, "ceph-keyring") is None
