# What draingate needs of Nomad beside nomad.hcl where it does not run as a Nomad
# task: there the agent tells its region and datacenter, which a task reads from
# its environment. NOMAD_REGION and NOMAD_DC do instead.
agent {
  policy = "read"
}
