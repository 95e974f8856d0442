# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

# Where the two models are, and who is in them already.

variable "control-model-uuid" {
  description = "UUID of the Kubernetes model with OpenStack's control plane"
  type        = string
}

variable "machine-model-uuid" {
  description = "UUID of the model with the hypervisors"
  type        = string
}

variable "principal" {
  description = "Application of the hypervisors, to which the subordinates attach"
  type        = string
  default     = "openstack-hypervisor"
}

variable "keystone-offer-url" {
  description = "Offer of Keystone's identity-credentials, for the monitors"
  type        = string
}

variable "cert-distributor-offer-url" {
  description = "Offer of the authorities to trust; null where nothing serves TLS"
  type        = string
  default     = null
}

variable "mysql" {
  description = "Application in the control plane that gives Masakari its database"
  type        = string
  default     = "mysql"
}

variable "own-mysql" {
  description = "Whether that application is deployed here, as each service has its own in this cloud"
  type        = bool
  default     = false
}

variable "units" {
  description = "Units of masakari, as many as OpenStack's other services have"
  type        = number
  default     = 1
}

variable "consul-units" {
  description = "Servers of each Consul; 3 survive the loss of one"
  type        = number
  default     = 3
}

variable "region" {
  description = "Region of the cloud in Keystone"
  type        = string
}

variable "base" {
  description = "Base of every charm here"
  type        = string
  default     = "ubuntu@24.04"
}

# What is wanted.

variable "networks" {
  description = "Networks that are watched: management, tenant, storage"
  type        = set(string)
}

variable "fencing" {
  description = "Whether hypervisors are fenced; false only where the operator said fencing: none"
  type        = bool
  default     = true
}

variable "from-files" {
  description = "Whether masakari, masakari-monitors and hacluster-shim were deployed from files, so that only their relations are made here"
  type        = bool
  default     = false
}

# Charms: all of it can be said in the manifest.

variable "masakari-charm" {
  type    = string
  default = "masakari-k8s"
}

variable "masakari-channel" {
  type    = string
  default = null
}

variable "masakari-revision" {
  type    = number
  default = null
}

variable "masakari-config" {
  type    = map(string)
  default = {}
}

variable "masakari-resources" {
  type    = map(string)
  default = {}
}

variable "monitors-charm" {
  type    = string
  default = "masakari-monitors"
}

variable "monitors-channel" {
  type    = string
  default = null
}

variable "monitors-revision" {
  type    = number
  default = null
}

variable "monitors-config" {
  type    = map(string)
  default = {}
}

variable "shim-charm" {
  type    = string
  default = "hacluster-shim"
}

variable "shim-channel" {
  type    = string
  default = null
}

variable "shim-revision" {
  type    = number
  default = null
}

variable "shim-config" {
  description = "Options of hacluster-shim; secrets are named by their ID and never stand here"
  type        = map(string)
  default     = {}
}

variable "consul-charm" {
  type    = string
  default = "consul-k8s"
}

variable "consul-channel" {
  type    = string
  default = null
}

variable "consul-revision" {
  type    = number
  default = null
}

variable "consul-config" {
  description = "Options of every Consul"
  type        = map(string)
  default     = {}
}

variable "consul-config-map" {
  description = "Options of one Consul, by application, for example consul-storage"
  type        = map(map(string))
  default     = {}
}

variable "consul-resources" {
  type    = map(string)
  default = {}
}

variable "agent-charm" {
  type    = string
  default = "consul-client"
}

variable "agent-channel" {
  type    = string
  default = null
}

variable "agent-revision" {
  type    = number
  default = null
}

variable "agent-config" {
  description = "Options of every Consul agent"
  type        = map(string)
  default     = {}
}

variable "agent-config-map" {
  description = "Options of the agents of one network, by application, for example consul-client-storage"
  type        = map(map(string))
  default     = {}
}

variable "agent-bindings" {
  description = "Spaces of the agents' endpoints, by network"
  type        = map(set(map(string)))
  default     = {}
}

variable "machine-bindings" {
  description = "Spaces of masakari-monitors and hacluster-shim"
  type        = set(map(string))
  default     = null
}

variable "mysql-router-channel" {
  type    = string
  default = "8.0/stable"
}

variable "mysql-channel" {
  type    = string
  default = "8.0/stable"
}
