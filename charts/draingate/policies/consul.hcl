# What draingate needs of Consul. consul-without-fence.hcl has less, for
# draingate run --fence never --no-park.
#
#   consul acl policy create -name draingate -rules @consul.hcl

# The instances of routed services and of Traefik, with their checks. All
# services, since one load of Traefik's catalog provider reads them all, and how
# long that takes is part of how long Traefik goes on routing.
#
# write is for the fence, which takes an old instance out of rotation (Consul's
# maintenance), and for parks, which register placeholders. To narrow it, write read
# here, and service "NAME" { policy = "write" } for each service that may be fenced or
# parked for; what lacks it is not fenced, and its deployments are held, nor parked for.
service_prefix "" {
  policy = "write"
}

# An instance is seen only with the node that it is on.
node_prefix "" {
  policy = "read"
}

# The name of its own Consul agent, which is the node that it can fence, and its
# address, at which proxies reach the node's listeners.
agent_prefix "" {
  policy = "read"
}

# The election of one draingate that acts, and the presence of each on its node: a
# session on the node of its own Consul agent, and locks that are tied to it.
session_prefix "" {
  policy = "write"
}

# The lock of the leader (draingate/leader), the records of fences
# (draingate/leader/fences/) and of parks (draingate/leader/parks/services/), and the
# presences (draingate/leader/nodes/, draingate/leader/parks/nodes/).
key_prefix "draingate/" {
  policy = "write"
}
