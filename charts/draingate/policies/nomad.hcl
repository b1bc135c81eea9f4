# What draingate needs of Nomad 1.11.2 and later, in the namespaces that it is to
# gate: a namespace that is not listed is not seen, and nothing is promoted there.
#
#   nomad acl policy apply -namespace default -job draingate draingate nomad.hcl
namespace "*" {
  # Reading deployments, jobs, their versions and allocations; and the promotion.
  # With draingate_on_deadline = "fail" also fail-deployment, and with --dry-run
  # list-jobs.
  capabilities = ["read-job", "promote-deployment"]

  # Whether somebody froze a job, or changed its mode.
  variables {
    path "draingate/jobs/*" {
      capabilities = ["read"]
    }
  }
}
