# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from ops import testing

from .cloud import (
    AMQP,
    API,
    DATABASE,
    FENCING,
    IDENTITY,
    INGRESS,
    Cloud,
    instead,
    without,
)


class TestPublication:
    def published(self, state: testing.State, relation: testing.RelationBase) -> dict[str, str]:
        return dict(state.get_relation(relation.id).local_app_data)

    def test_every_partner_is_asked(self, cloud: Cloud):
        state = cloud.run(cloud.state())

        assert self.published(state, DATABASE)["database"] == "masakari_api"
        assert self.published(state, AMQP)["vhost"] == "openstack"
        assert self.published(state, FENCING) == {"contract": "1"}
        endpoint = json.loads(self.published(state, IDENTITY)["service-endpoints"])[0]
        assert endpoint["type"] == "instance-ha"
        assert endpoint["internal_url"] == (
            "http://10.70.0.1:8080/openstack-masakari/v1/$(tenant_id)s"
        )
        assert self.published(state, IDENTITY)["extra-roles"] == '["secret-decrypter"]'
        assert json.loads(self.published(state, INGRESS)["port"]) == 15868

    def test_secret_access_is_not_asked_for_where_it_is_off(self, cloud: Cloud):
        state = cloud.run(cloud.state(config={"enable-secret-access": False}))

        assert "extra-roles" not in self.published(state, IDENTITY)

    def test_follower_speaks_for_itself_only(self, cloud: Cloud):
        state = cloud.run(cloud.state(leader=False))

        assert self.published(state, DATABASE) == {}
        assert "ip" in state.get_relation(INGRESS.id).local_unit_data

    @pytest.mark.parametrize(
        ("relations", "ready"),
        [
            pytest.param((), "true", id="all"),
            pytest.param(without("fencing"), "false", id="engine not running"),
            pytest.param(without("database"), "false", id="nothing runs"),
            pytest.param(
                without("consul-storage", "consul-tenant", "consul-management"),
                "true",
                id="no host monitor",
            ),
        ],
    )
    def test_service_is_ready_when_api_and_engine_run(self, cloud: Cloud, relations, ready: str):
        offer = testing.Relation("masakari-service", remote_app_name="openstack-hypervisor")

        state = cloud.run(cloud.state(*(relations or instead()), offer))

        assert self.published(state, offer) == {"ready": ready}

    def test_users_are_sent_to_the_public_ingress(self, cloud: Cloud):
        public = testing.Relation(
            "ingress-public",
            remote_app_name="traefik-public",
            remote_app_data={"ingress": json.dumps({"url": "https://cloud.example/masakari"})},
        )

        state = cloud.run(cloud.state(*instead(), public))

        endpoint = json.loads(self.published(state, IDENTITY)["service-endpoints"])[0]
        assert endpoint["public_url"].startswith("https://cloud.example/masakari/v1/")
        assert "/masakari/v1: v1\n" in cloud.file(API, "api-paste.ini")

    def test_before_there_is_an_ingress_the_service_itself_is_the_endpoint(self, cloud: Cloud):
        state = cloud.run(cloud.state(*without("ingress-internal")))

        endpoint = json.loads(self.published(state, IDENTITY)["service-endpoints"])[0]
        assert ".svc.cluster.local:15868/v1/" in endpoint["internal_url"]
