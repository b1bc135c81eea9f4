package model

import "time"

// Verb is what the gate decided to do.
type Verb string

// The verbs. None is for a deployment that needs no decision any more, or
// never did.
const (
	Promote Verb = "Promote"
	Fence   Verb = "Fence"
	Hold    Verb = "Hold"
	Fail    Verb = "Fail"
	None    Verb = "None"
)

// Reason is a stable CamelCase word for why a decision was taken. The gate
// package declares and documents all of them.
type Reason string

// Mode says what draingate may do with a job.
type Mode string

// The modes of the meta key draingate_mode.
const (
	ModeEnforce Mode = "enforce"
	ModeObserve Mode = "observe"
	ModeOff     Mode = "off"
)

// Decision is the answer of the gate for one snapshot.
type Decision struct {
	Verb   Verb
	Reason Reason
	// Message is one or two sentences with the numbers and, for a hold, the
	// smallest change that would cure it.
	Message string
	Mode    Mode
	// Groups are the task groups to promote, sorted; only with Promote.
	Groups     []string
	Conditions []Condition
	// Windows hold S and T for each proxy and old allocation's service.
	Windows []Window
	// ReadyAt is when the last condition of a Promote became true: the end of
	// the window. Zero for any other verb.
	ReadyAt time.Time
	// RetryAfter is when to look again; zero means only when something changes.
	RetryAfter time.Duration
}

// ConditionStatus is True, False or Unknown.
type ConditionStatus string

// The three condition statuses.
const (
	True    ConditionStatus = "True"
	False   ConditionStatus = "False"
	Unknown ConditionStatus = "Unknown"
)

// ConditionType names one thing that is true, false or unknown of a deployment.
type ConditionType string

// The condition types, in the order in which they usually become true.
const (
	CanaryHealthy    ConditionType = "CanaryHealthy"
	CatalogPassing   ConditionType = "CatalogPassing"
	ProxyRouting     ConditionType = "ProxyRouting"
	DrainSafe        ConditionType = "DrainSafe"
	TraefikHealth    ConditionType = "TraefikHealthCheck"
	TraefikRetry     ConditionType = "TraefikRetry"
	SettingsAgree    ConditionType = "SettingsAgree"
	JobSound         ConditionType = "JobSound"
	WithinDeadline   ConditionType = "WithinDeadline"
	Fenced           ConditionType = "Fenced"
	Parked           ConditionType = "Parked"
	Promoted         ConditionType = "Promoted"
	OldOutOfRotation ConditionType = "OldOutOfRotation"
	Drained          ConditionType = "Drained"
)

// Condition is one condition. Since is when its status last changed; the gate
// leaves it zero and the recorder fills it in.
type Condition struct {
	Type    ConditionType
	Status  ConditionStatus
	Reason  Reason
	Message string
	Since   time.Time
}

// Verdict says what S and T mean for one old instance and one proxy.
type Verdict string

// The verdicts. Only Safe promotes.
const (
	VerdictSafe    Verdict = "Safe"
	VerdictMasked  Verdict = "Masked"
	VerdictUnsafe  Verdict = "Unsafe"
	VerdictUnknown Verdict = "Unknown"
)

// Term is one summand of S or T. Declared is true for a figure that only the
// job's author vouches for.
type Term struct {
	Name     string
	Value    time.Duration
	Source   string
	Declared bool
}

// Window is the drain arithmetic for one routed service of one old allocation
// behind one proxy.
type Window struct {
	Proxy      string
	Group      string
	Service    string
	Allocation string
	// S is the servable time, T the time to stop routing, L the longest
	// request, Margin what is kept in hand. Safe means S ≥ T + L + Margin.
	S, T, L, Margin time.Duration
	STerms, TTerms  []Term
	Verdict         Verdict
	// Why says, for any verdict but Safe, what is missing.
	Why string
	// Cure is the smallest shutdown_delay that would make it Safe; only with
	// Masked and Unsafe.
	Cure Cure
}

// Cure is a shutdown_delay and where in the job it belongs: "group", or a task
// with its name in quotes. The zero Cure is none.
type Cure struct {
	Level string
	Delay time.Duration
}

// Record is a deployment as the status endpoint shows it.
type Record struct {
	Key        Key
	JobID      string
	JobVersion uint64
	// Status is Nomad's own status of the deployment.
	Status string
	// Groups are the deployment's groups as Nomad last had them, sorted by name.
	Groups   []DeploymentGroup
	Decision Decision
	// Since is when verb or reason last changed.
	Since time.Time
	// Observed is when the snapshot behind the decision was taken.
	Observed time.Time
	// DryRun is true where draingate would not write whatever it decides.
	DryRun bool
	// Problem says why the last attempt to carry out the decision failed;
	// empty where there was none or it succeeded.
	Problem string
	// PromotedAt is when Nomad accepted draingate's promotion; zero if it did not.
	PromotedAt time.Time
}
