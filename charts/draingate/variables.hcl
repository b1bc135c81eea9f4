variable "job_name" {
  type        = string
  default     = "draingate"
  description = "The name of the job. Policies and Nomad Variables are bound to it."
}

variable "namespace" {
  type        = string
  default     = ""
  description = "The namespace to run in; Nomad's own choice if empty. Deployments of all namespaces are watched."
}

variable "region" {
  type        = string
  default     = ""
  description = "The region to run in; Nomad's own choice if empty. Only this region is gated."
}

variable "datacenters" {
  type        = list(string)
  default     = ["*"]
  description = "The datacenters to run in. Jobs are gated only in the datacenters of their own that a draingate sees."
}

variable "driver" {
  type        = string
  default     = "raw_exec"
  description = "The driver: raw_exec with a binary that is on every client, or docker with an image."
}

variable "binary" {
  type        = string
  default     = "/usr/local/bin/draingate"
  description = "The path of the draingate binary on every client, for raw_exec."
}

variable "image" {
  type        = string
  default     = ""
  description = "The image, for docker. It runs in the network of the host, so that it reaches the local Consul agent."
}

variable "traefik_services" {
  type        = list(string)
  default     = ["traefik"]
  description = "The Consul services whose instances are the Traefik processes to watch. Their port in Consul is the one of Traefik's API."
}

variable "consul_address" {
  type        = string
  default     = "127.0.0.1:8500"
  description = "The local Consul agent: host:port, or a URL that starts with https://."
}

variable "consul_token_variable" {
  type        = bool
  default     = false
  description = "Take the Consul token from the item consul_token of the job's Nomad Variable, nomad/jobs/<job_name>, where Consul does not accept workload identities."
}

variable "traefik_api_user" {
  type        = string
  default     = ""
  description = "The user for Traefik's API. The password is the item traefik_api_password of the job's Nomad Variable, nomad/jobs/<job_name>."
}

variable "listen" {
  type        = string
  default     = "127.0.0.1:4689"
  description = "The address of the status endpoint. It asks nobody who they are, so it stays on loopback unless something in front of it does."
}

variable "advertise" {
  type        = string
  default     = ""
  description = "The address at which the others reach the status endpoint of each instance, such as $${attr.unique.network.ip-address}:4689 with a listen to match. Without one only the leader's own endpoint has the status."
}

variable "park_address" {
  type        = string
  default     = ""
  description = "The IP address at which every Traefik reaches the node, for services that are parked for. Empty for the one that the Consul agent advertises."
}

variable "park_ports" {
  type        = string
  default     = ""
  description = "The ports to listen on for services that are parked for, one for each, such as 21000-21099, where a firewall is in between. Empty for any that is free."
}

variable "no_park" {
  type        = bool
  default     = false
  description = "Park for no service, whatever jobs say."
}

variable "default_mode" {
  type        = string
  default     = "observe"
  description = "The mode of a job without draingate_mode in its meta: enforce, observe or off."
}

variable "dry_run" {
  type        = bool
  default     = false
  description = "Decide and report, and never promote. A good way to begin."
}

variable "extra_args" {
  type        = list(string)
  default     = []
  description = "More flags of draingate run, such as --traefik-api-ca=/etc/traefik/ca.pem. No secrets: arguments can be read by others."
}

variable "env" {
  type        = map(string)
  default     = {}
  description = "More variables, such as CONSUL_CACERT for a Consul that speaks https. They win over those that the job sets itself."
}

variable "cpu" {
  type        = number
  default     = 100
  description = "MHz to reserve."
}

variable "memory" {
  type        = number
  default     = 128
  description = "MB to reserve."
}
