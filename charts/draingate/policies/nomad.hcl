# What draingate needs of Nomad 1.11.2 and later, in the namespaces that it is to
# gate: a namespace that is not listed is not seen, and nothing is promoted there.
#
#   nomad acl policy apply -namespace default -job draingate draingate nomad.hcl
namespace "*" {
  # Reading deployments, jobs, their versions and allocations; and the promotion.
  capabilities = ["read-job", "promote-deployment"]
}
