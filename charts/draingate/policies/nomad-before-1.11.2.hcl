# What draingate needs of a Nomad before 1.11.2, which knows no capability for a
# promotion, a pause or a failure alone: submit-job also permits to register jobs. Limit it to the
# namespaces that are to be gated, and replace it after an upgrade.
#
#   nomad acl policy apply -namespace default -job draingate draingate nomad-before-1.11.2.hcl
namespace "*" {
  capabilities = ["list-jobs", "read-job", "submit-job"]

  variables {
    path "draingate/jobs/*" {
      capabilities = ["list", "read"]
    }
  }
}
