# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

output "fencing-offer-url" {
  description = "Offer of the power to fence; null where nothing fences"
  value       = one([for name, offer in juju_offer.ours : offer.url if name == "instance-ha-fencing"])
}

output "hypervisors-offer-url" {
  description = "Offer of what the hypervisors say of themselves"
  value       = juju_offer.ours["instance-ha-hypervisors"].url
}
