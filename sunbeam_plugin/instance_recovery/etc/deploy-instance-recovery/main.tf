# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

# Instance recovery, all of it, beside Sunbeam's own plans: nothing of theirs is changed here. Applications that were
# deployed from files are named only, as the provider takes charms from the store.

terraform {
  required_providers {
    juju = {
      source  = "juju/juju"
      version = "= 1.5.6"
    }
  }
}

provider "juju" {}

locals {
  from-store = var.from-files ? 0 : 1
  shim-store = var.fencing ? local.from-store : 0
  shim       = var.fencing ? 1 : 0

  masakari = "masakari"
  monitors = "masakari-monitors"
  fencing  = "hacluster-shim"
}

# Control plane: Masakari and its database.

resource "juju_application" "masakari" {
  count      = local.from-store
  name       = local.masakari
  model_uuid = var.control-model-uuid
  trust      = false
  units      = var.units

  charm {
    name     = var.masakari-charm
    channel  = var.masakari-channel
    revision = var.masakari-revision
    base     = var.base
  }

  config    = merge({ region = var.region }, var.masakari-config)
  resources = var.masakari-resources
}

resource "juju_application" "mysql" {
  count      = var.own-mysql ? 1 : 0
  name       = var.mysql
  model_uuid = var.control-model-uuid
  trust      = true
  units      = 1

  charm {
    name    = "mysql-k8s"
    channel = var.mysql-channel
  }
}

resource "juju_application" "mysql-router" {
  name       = "masakari-mysql-router"
  model_uuid = var.control-model-uuid
  trust      = true
  units      = var.units

  charm {
    name    = "mysql-router-k8s"
    channel = var.mysql-router-channel
  }
}

resource "juju_integration" "router-to-mysql" {
  model_uuid = var.control-model-uuid

  application {
    name     = juju_application.mysql-router.name
    endpoint = "backend-database"
  }

  application {
    name     = var.mysql
    endpoint = "database"
  }

  depends_on = [juju_application.mysql]
}

# Endpoint of masakari -> the application and endpoint that serve it.
locals {
  partners = {
    database         = [juju_application.mysql-router.name, "database"]
    amqp             = ["rabbitmq", "amqp"]
    identity-service = ["keystone", "identity-service"]
    receive-ca-cert  = ["keystone", "send-ca-cert"]
    ingress-internal = ["traefik", "ingress"]
    ingress-public   = ["traefik-public", "ingress"]
  }
}

resource "juju_integration" "masakari" {
  for_each   = local.partners
  model_uuid = var.control-model-uuid

  application {
    name     = local.masakari
    endpoint = each.key
  }

  application {
    name     = each.value[0]
    endpoint = each.value[1]
  }

  depends_on = [juju_application.masakari]
}

# Evidence: one Consul for each network, and an agent of it on every hypervisor.

resource "juju_application" "consul" {
  for_each   = var.networks
  name       = "consul-${each.key}"
  model_uuid = var.control-model-uuid
  trust      = true
  units      = var.consul-units

  charm {
    name     = var.consul-charm
    channel  = var.consul-channel
    revision = var.consul-revision
    base     = var.base
  }

  config    = merge(var.consul-config, lookup(var.consul-config-map, "consul-${each.key}", {}))
  resources = var.consul-resources
}

resource "juju_integration" "masakari-to-consul" {
  for_each   = var.networks
  model_uuid = var.control-model-uuid

  application {
    name     = local.masakari
    endpoint = "consul-${each.key}"
  }

  application {
    name     = juju_application.consul[each.key].name
    endpoint = "consul-cluster"
  }

  depends_on = [juju_application.masakari]
}

resource "juju_offer" "consul" {
  for_each         = var.networks
  name             = "consul-${each.key}-cluster"
  model_uuid       = var.control-model-uuid
  application_name = juju_application.consul[each.key].name
  endpoints        = ["consul-cluster"]
}

resource "juju_application" "agent" {
  for_each   = var.networks
  name       = "consul-client-${each.key}"
  model_uuid = var.machine-model-uuid
  trust      = false

  charm {
    name     = var.agent-charm
    channel  = var.agent-channel
    revision = var.agent-revision
    base     = var.base
  }

  config            = merge(var.agent-config, lookup(var.agent-config-map, "consul-client-${each.key}", {}))
  endpoint_bindings = lookup(var.agent-bindings, each.key, null)
}

resource "juju_integration" "agent-to-hypervisor" {
  for_each   = var.networks
  model_uuid = var.machine-model-uuid

  application {
    name     = juju_application.agent[each.key].name
    endpoint = "juju-info"
  }

  application {
    name     = var.principal
    endpoint = "juju-info"
  }
}

resource "juju_integration" "agent-to-consul" {
  for_each   = var.networks
  model_uuid = var.machine-model-uuid

  application {
    name     = juju_application.agent[each.key].name
    endpoint = "consul-cluster"
  }

  application {
    offer_url = juju_offer.consul[each.key].url
  }
}

# Eyes and guard on every hypervisor.

resource "juju_application" "monitors" {
  count      = local.from-store
  name       = local.monitors
  model_uuid = var.machine-model-uuid
  trust      = false

  charm {
    name     = var.monitors-charm
    channel  = var.monitors-channel
    revision = var.monitors-revision
    base     = var.base
  }

  config            = merge({ region = var.region }, var.monitors-config)
  endpoint_bindings = var.machine-bindings
}

resource "juju_integration" "monitors-to-hypervisor" {
  model_uuid = var.machine-model-uuid

  application {
    name     = local.monitors
    endpoint = "container"
  }

  application {
    name     = var.principal
    endpoint = "juju-info"
  }

  depends_on = [juju_application.monitors]
}

resource "juju_integration" "monitors-to-keystone" {
  model_uuid = var.machine-model-uuid

  application {
    name     = local.monitors
    endpoint = "identity-credentials"
  }

  application {
    offer_url = var.keystone-offer-url
    endpoint  = "identity-credentials"
  }

  depends_on = [juju_application.monitors]
}

resource "juju_integration" "monitors-to-authorities" {
  count      = var.cert-distributor-offer-url == null ? 0 : 1
  model_uuid = var.machine-model-uuid

  application {
    name     = local.monitors
    endpoint = "receive-ca-cert"
  }

  application {
    offer_url = var.cert-distributor-offer-url
    endpoint  = "send-ca-cert"
  }

  depends_on = [juju_application.monitors]
}

resource "juju_offer" "hypervisors" {
  name             = "instance-ha-hypervisors"
  model_uuid       = var.machine-model-uuid
  application_name = local.monitors
  endpoints        = ["hypervisor"]

  depends_on = [juju_application.monitors]
}

resource "juju_integration" "masakari-to-hypervisors" {
  model_uuid = var.control-model-uuid

  application {
    name     = local.masakari
    endpoint = "hypervisors"
  }

  application {
    offer_url = juju_offer.hypervisors.url
  }

  depends_on = [juju_application.masakari]
}

# The power to fence.

resource "juju_application" "shim" {
  count      = local.shim-store
  name       = local.fencing
  model_uuid = var.machine-model-uuid
  trust      = false

  charm {
    name     = var.shim-charm
    channel  = var.shim-channel
    revision = var.shim-revision
    base     = var.base
  }

  config            = var.shim-config
  endpoint_bindings = var.machine-bindings
}

resource "juju_integration" "shim-to-hypervisor" {
  count      = local.shim
  model_uuid = var.machine-model-uuid

  application {
    name     = local.fencing
    endpoint = "juju-info"
  }

  application {
    name     = var.principal
    endpoint = "juju-info"
  }

  depends_on = [juju_application.shim]
}

resource "juju_integration" "shim-to-monitors" {
  count      = local.shim
  model_uuid = var.machine-model-uuid

  application {
    name     = local.fencing
    endpoint = "hypervisors"
  }

  application {
    name     = local.monitors
    endpoint = "hypervisor"
  }

  depends_on = [juju_application.shim, juju_application.monitors]
}

resource "juju_offer" "fencing" {
  count            = local.shim
  name             = "instance-ha-fencing"
  model_uuid       = var.machine-model-uuid
  application_name = local.fencing
  endpoints        = ["fencing"]

  depends_on = [juju_application.shim]
}

resource "juju_integration" "masakari-to-fencing" {
  count      = local.shim
  model_uuid = var.control-model-uuid

  application {
    name     = local.masakari
    endpoint = "fencing"
  }

  application {
    offer_url = juju_offer.fencing[0].url
  }

  depends_on = [juju_application.masakari]
}
