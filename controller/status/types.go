package status

import "time"

// Deployment is one deployment as /v1/deployments shows it. Field names are
// stable; docs/status.md explains them.
type Deployment struct {
	ID         string `json:"id"`
	Namespace  string `json:"namespace"`
	Job        string `json:"job"`
	JobVersion uint64 `json:"jobVersion"`
	// Status is Nomad's status of the deployment.
	Status string `json:"status"`
	// Mode is what draingate may do with the job: enforce, observe or off.
	Mode     string `json:"mode"`
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	// Since is when the decision or its reason last changed.
	Since time.Time `json:"since"`
	// Observed is when the reading behind the decision was taken.
	Observed time.Time `json:"observed"`
	DryRun   bool      `json:"dryRun"`
	// Problem says why the last attempt to carry out the decision failed.
	Problem string `json:"problem,omitempty"`
	// PromotedAt is when Nomad accepted draingate's promotion; absent if it did not.
	PromotedAt time.Time   `json:"promotedAt,omitzero"`
	Groups     []Group     `json:"groups"`
	Conditions []Condition `json:"conditions"`
}

// Group is the state of one task group in a deployment, in Nomad's own words.
type Group struct {
	Name     string `json:"name"`
	Promoted bool   `json:"promoted"`
	// DesiredTotal and DesiredCanaries are what the job asks for.
	DesiredTotal    int `json:"desiredTotal"`
	DesiredCanaries int `json:"desiredCanaries"`
	// PlacedCanaries are the IDs of the canaries' allocations.
	PlacedCanaries []string `json:"placedCanaries"`
	// PlacedAllocs, HealthyAllocs and UnhealthyAllocs count the new version's.
	PlacedAllocs    int `json:"placedAllocs"`
	HealthyAllocs   int `json:"healthyAllocs"`
	UnhealthyAllocs int `json:"unhealthyAllocs"`
}

// Detail is one deployment as /v1/deployments/{id} shows it: all of the above
// and the drain arithmetic.
type Detail struct {
	Deployment
	// Windows has one entry for each proxy, old allocation and routed service.
	Windows []Window `json:"windows"`
}

// Condition is one thing that is True, False or Unknown of a deployment.
type Condition struct {
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

// Window compares how long an old instance can go on serving with how long a
// proxy goes on sending to it.
type Window struct {
	Proxy      string `json:"proxy"`
	Group      string `json:"group"`
	Service    string `json:"service"`
	Allocation string `json:"allocation"`
	// Servable is S and StopRouting is T; null where they are not known.
	Servable       *Sum     `json:"servable"`
	StopRouting    *Sum     `json:"stopRouting"`
	LongestRequest Duration `json:"longestRequest"`
	Margin         Duration `json:"margin"`
	// Verdict is Safe, Masked, Unsafe or Unknown; only Safe promotes.
	Verdict string `json:"verdict"`
	// Why says what is missing, for any verdict but Safe.
	Why string `json:"why,omitempty"`
	// Cure is the smallest change that would do; absent where none is known.
	Cure *Cure `json:"cure,omitempty"`
}

// Cure is a shutdown_delay for the running version of the job.
type Cure struct {
	// Level is "group", or a task with its name in quotes.
	Level         string   `json:"level"`
	ShutdownDelay Duration `json:"shutdownDelay"`
}

// Sum is a duration and what it is made of.
type Sum struct {
	Duration
	Terms []Term `json:"terms"`
}

// Duration is a length of time, in seconds for programs and as text for people.
type Duration struct {
	Seconds float64 `json:"seconds"`
	Text    string  `json:"text"`
}

// Term is one summand. Declared is true where only the job's author vouches
// for the figure.
type Term struct {
	Name string `json:"name"`
	Duration
	Source   string `json:"source"`
	Declared bool   `json:"declared"`
}

// Proxy is one Traefik instance as /v1/proxies shows it. What could not be
// read is null, and Problem says why.
type Proxy struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Allocation is the Nomad allocation that it runs in, where that is known.
	Allocation string `json:"allocation,omitempty"`
	// Started is the start of the process, which is its identity.
	Started time.Time `json:"started,omitzero"`
	Version string    `json:"version,omitempty"`
	// Observed is when the proxy set was read.
	Observed time.Time `json:"observed"`
	Settings *Settings `json:"settings"`
	// Routers and Services count the HTTP ones.
	Routers  *int   `json:"routers"`
	Services *int   `json:"services"`
	Problem  string `json:"problem,omitempty"`
}

// Settings are the static settings of a proxy that decide T.
type Settings struct {
	// Source is "process", or the file that was read in its place.
	Source string `json:"source"`
	// Contradictions lists what another source said otherwise; it lost.
	Contradictions   []string `json:"contradictions"`
	ConsulCatalog    bool     `json:"consulCatalog"`
	RefreshInterval  Duration `json:"refreshInterval"`
	Throttle         Duration `json:"throttle"`
	Watch            bool     `json:"watch"`
	Stale            bool     `json:"stale"`
	Cache            bool     `json:"cache"`
	StrictChecks     []string `json:"strictChecks"`
	ExposedByDefault bool     `json:"exposedByDefault"`
	Prefix           string   `json:"prefix"`
	Constraints      string   `json:"constraints,omitempty"`
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready bool `json:"ready"`
	// Waiting names what was not read for the first time yet.
	Waiting []string `json:"waiting"`
}

// Problem is the body of every answer that is an error.
type Problem struct {
	Error string `json:"error"`
}
