# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

output "fencing-offer-url" {
  description = "Offer of the power to fence; null where nothing fences"
  value       = one(juju_offer.fencing[*].url)
}

output "hypervisors-offer-url" {
  description = "Offer of what the hypervisors say of themselves"
  value       = juju_offer.hypervisors.url
}
