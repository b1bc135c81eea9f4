# What draingate needs of Consul where it takes no instance out of rotation and
# parks for no service: draingate run --fence never --no-park, and no job with another
# draingate_fence.
#
#   consul acl policy create -name draingate -rules @consul-without-fence.hcl

# The instances of routed services and of Traefik, with their checks. All
# services, since one load of Traefik's catalog provider reads them all, and how
# long that takes is part of how long Traefik goes on routing.
service_prefix "" {
  policy = "read"
}

# An instance is seen only with the node that it is on.
node_prefix "" {
  policy = "read"
}

# The election of one draingate that acts: a session on the node of its own
# Consul agent, and a lock that is tied to it.
session_prefix "" {
  policy = "write"
}

key_prefix "draingate/" {
  policy = "write"
}
