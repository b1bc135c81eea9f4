# What draingate needs of Nomad 1.11.2 and later, in the namespaces that it is to
# gate: a namespace that is not listed is not seen, and nothing is promoted there.
#
#   nomad acl policy apply -namespace default -job draingate draingate nomad.hcl
namespace "*" {
  # Reading deployments, jobs, their versions and allocations; and the promotion.
  # A fence of a job with fewer canaries than instances goes batch by batch, and
  # pauses the deployment in between; where that comes to nothing it fails the
  # deployment ahead of its progress deadline, as draingate_on_deadline = "fail"
  # does. With --fence never and without that key the last two can go.
  # list-jobs is for parks, to see which jobs ask for one, and for --dry-run; with
  # --no-park it can go.
  capabilities = ["list-jobs", "read-job", "promote-deployment", "pause-deployment", "fail-deployment"]

  # Whether somebody froze a job, or changed its mode; list is for parks, to see
  # that somebody paused a service.
  variables {
    path "draingate/jobs/*" {
      capabilities = ["list", "read"]
    }
  }
}
