package rule

// startRules are about the start side: instances that are routed before they
// are ready, or that never overlap with those they replace.
func startRules() []Rule {
	return []Rule{
		{
			ID: "DG201", Name: "no-check", Severity: Error,
			Summary: "A routed service has no check.",
			Why: "Consul calls an instance without a check passing from the moment it is registered, which for a group-level service is before " +
				"the image is pulled (Nomad v1.11.3, client/allocrunner/alloc_runner_hooks.go): every proxy routes to a process that is not there.",
			Find: eachRouted(func(p place) []Finding {
				return found(p.path, NoCheck(p.service), "check {\n  type     = \"http\"\n  path     = \"/readyz\"\n  interval = \"2s\"\n  timeout  = \"1s\"\n}")
			}),
		},
	}
}

// eachRouted applies a finder to each service that a proxy routes to.
func eachRouted(find func(place) []Finding) func(Input) []Finding {
	return func(in Input) []Finding {
		var out []Finding
		for _, p := range in.routedServices() {
			out = append(out, find(p)...)
		}
		return out
	}
}
