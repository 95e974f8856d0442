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
  masakari = "masakari"
  monitors = "masakari-monitors"
  fencing  = "hacluster-shim"

  from-store = !var.from-files
}

# Control plane: Masakari, its database, and a Consul for each network.

resource "juju_application" "masakari" {
  count      = local.from-store ? 1 : 0
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

# On every hypervisor: an agent of each Consul, the eyes and guard, and the power to fence.

locals {
  subordinates = merge(
    { for network in var.networks : "consul-client-${network}" => {
      wanted   = true
      charm    = var.agent-charm
      channel  = var.agent-channel
      revision = var.agent-revision
      config   = merge(var.agent-config, lookup(var.agent-config-map, "consul-client-${network}", {}))
      bindings = lookup(var.agent-bindings, network, null)
    } },
    {
      (local.monitors) = {
        wanted   = local.from-store
        charm    = var.monitors-charm
        channel  = var.monitors-channel
        revision = var.monitors-revision
        config   = merge({ region = var.region }, var.monitors-config)
        bindings = var.machine-bindings
      }
      (local.fencing) = {
        wanted   = local.from-store && var.fencing
        charm    = var.shim-charm
        channel  = var.shim-channel
        revision = var.shim-revision
        config   = var.shim-config
        bindings = var.machine-bindings
      }
    },
  )
}

resource "juju_application" "subordinate" {
  for_each   = { for name, said in local.subordinates : name => said if said.wanted }
  name       = each.key
  model_uuid = var.machine-model-uuid
  trust      = false

  charm {
    name     = each.value.charm
    channel  = each.value.channel
    revision = each.value.revision
    base     = var.base
  }

  config            = each.value.config
  endpoint_bindings = each.value.bindings
}

# Relations inside one model: an application and its endpoint, and those of the other end.

locals {
  in-control = merge(
    {
      "router-to-mysql"  = [juju_application.mysql-router.name, "backend-database", var.mysql, "database"]
      "database"         = [local.masakari, "database", juju_application.mysql-router.name, "database"]
      "amqp"             = [local.masakari, "amqp", "rabbitmq", "amqp"]
      "identity-service" = [local.masakari, "identity-service", "keystone", "identity-service"]
      "receive-ca-cert"  = [local.masakari, "receive-ca-cert", "keystone", "send-ca-cert"]
      "ingress-internal" = [local.masakari, "ingress-internal", "traefik", "ingress"]
      "ingress-public"   = [local.masakari, "ingress-public", "traefik-public", "ingress"]
    },
    { for network in var.networks : "consul-${network}" =>
      [local.masakari, "consul-${network}", "consul-${network}", "consul-cluster"]
    },
  )
  in-machines = merge(
    { "monitors" = [local.monitors, "container", var.principal, "juju-info"] },
    { for network in var.networks : "consul-client-${network}" =>
      ["consul-client-${network}", "juju-info", var.principal, "juju-info"]
    },
    { for name, ends in {
      "fencing"          = [local.fencing, "juju-info", var.principal, "juju-info"]
      "fencing-monitors" = [local.fencing, "hypervisors", local.monitors, "hypervisor"]
    } : name => ends if var.fencing },
  )
}

resource "juju_integration" "inside" {
  for_each = merge(
    { for name, ends in local.in-control : name => concat([var.control-model-uuid], ends) },
    { for name, ends in local.in-machines : name => concat([var.machine-model-uuid], ends) },
  )
  model_uuid = each.value[0]

  application {
    name     = each.value[1]
    endpoint = each.value[2]
  }

  application {
    name     = each.value[3]
    endpoint = each.value[4]
  }

  depends_on = [
    juju_application.masakari, juju_application.mysql, juju_application.consul,
    juju_application.subordinate,
  ]
}

# From one model to the other: what is offered, and who takes it.

locals {
  offers = merge(
    { for network in var.networks : "consul-${network}-cluster" =>
      [var.control-model-uuid, "consul-${network}", "consul-cluster"]
    },
    { for name, offer in {
      "instance-ha-hypervisors" = [var.machine-model-uuid, local.monitors, "hypervisor"]
      "instance-ha-fencing"     = [var.machine-model-uuid, local.fencing, "fencing"]
    } : name => offer if offer[1] != local.fencing || var.fencing },
  )
  takers = merge(
    { for network in var.networks : "consul-${network}-cluster" => {
      model    = var.machine-model-uuid
      name     = "consul-client-${network}"
      endpoint = "consul-cluster"
    } },
    { for name, endpoint in {
      "instance-ha-hypervisors" = "hypervisors"
      "instance-ha-fencing"     = "fencing"
      } : name => {
      model    = var.control-model-uuid
      name     = local.masakari
      endpoint = endpoint
    } if endpoint != "fencing" || var.fencing },
  )
  # Of OpenStack's own: endpoint of masakari-monitors -> offer, and endpoint there.
  openstack = { for endpoint, offer in {
    "identity-credentials" = [var.keystone-offer-url, "identity-credentials"]
    "receive-ca-cert"      = [var.cert-distributor-offer-url, "send-ca-cert"]
  } : endpoint => offer if offer[0] != null }
}

resource "juju_offer" "ours" {
  for_each         = local.offers
  name             = each.key
  model_uuid       = each.value[0]
  application_name = each.value[1]
  endpoints        = [each.value[2]]

  depends_on = [juju_application.consul, juju_application.subordinate]
}

resource "juju_integration" "takes" {
  for_each   = local.takers
  model_uuid = each.value.model

  application {
    name     = each.value.name
    endpoint = each.value.endpoint
  }

  application {
    offer_url = juju_offer.ours[each.key].url
  }

  depends_on = [juju_application.masakari, juju_application.subordinate]
}

resource "juju_integration" "monitors-to-openstack" {
  for_each   = local.openstack
  model_uuid = var.machine-model-uuid

  application {
    name     = local.monitors
    endpoint = each.key
  }

  application {
    offer_url = each.value[0]
    endpoint  = each.value[1]
  }

  depends_on = [juju_application.subordinate]
}
