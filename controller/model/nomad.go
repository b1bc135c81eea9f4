package model

import "time"

// Key names one deployment. Events carry keys and nothing else.
type Key struct {
	// Namespace is the Nomad namespace of the deployment's job.
	Namespace string
	// Deployment is the deployment's full ID.
	Deployment string
}

// String returns namespace/ID.
func (k Key) String() string { return k.Namespace + "/" + k.Deployment }

// Nomad's deployment statuses (nomad/structs/deployment.go, v1.11.3).
const (
	DeploymentRunning    = "running"
	DeploymentPaused     = "paused"
	DeploymentSuccessful = "successful"
	DeploymentFailed     = "failed"
	DeploymentCancelled  = "cancelled"
)

// Deployment is a Nomad deployment as last read.
type Deployment struct {
	ID                string
	Namespace         string
	JobID             string
	JobVersion        uint64
	Status            string
	StatusDescription string
	// Multiregion is true for a deployment that other regions take part in.
	Multiregion bool
	// Groups is sorted by name.
	Groups []DeploymentGroup
}

// Terminal reports whether Nomad will never change the deployment again.
func (d Deployment) Terminal() bool {
	return d.Status == DeploymentSuccessful || d.Status == DeploymentFailed || d.Status == DeploymentCancelled
}

// AwaitingPromotion returns the groups that have canaries and are not
// promoted, in order of name.
func (d Deployment) AwaitingPromotion() []DeploymentGroup {
	var out []DeploymentGroup
	for _, g := range d.Groups {
		if g.DesiredCanaries > 0 && !g.Promoted {
			out = append(out, g)
		}
	}
	return out
}

// Promoted reports whether at least one group had canaries and every group
// that had them is promoted.
func (d Deployment) Promoted() bool {
	had := false
	for _, g := range d.Groups {
		had = had || g.DesiredCanaries > 0
	}
	return had && len(d.AwaitingPromotion()) == 0
}

// DeploymentGroup is the state of one task group in a deployment. The fields
// have Nomad's own names and meaning.
type DeploymentGroup struct {
	Name            string
	Promoted        bool
	DesiredCanaries int
	DesiredTotal    int
	PlacedCanaries  []string
	PlacedAllocs    int
	HealthyAllocs   int
	UnhealthyAllocs int
}

// Job types of Nomad that draingate tells apart.
const (
	JobTypeService = "service"
	JobTypeSystem  = "system"
)

// Job is one version of a Nomad job with the settings that bear on draining.
type Job struct {
	ID          string
	Namespace   string
	Type        string
	Region      string
	Datacenters []string
	Version     uint64
	// ModifyIndex is the Raft index at which this version was registered
	// (JobModifyIndex). An allocation created before it was changed in place.
	ModifyIndex uint64
	Multiregion bool
	Stopped     bool
	Meta        map[string]string
	// Groups is in the order of the job.
	Groups []Group
}

// Group returns the named task group, or nil.
func (j *Job) Group(name string) *Group {
	if j == nil {
		return nil
	}
	for i := range j.Groups {
		if j.Groups[i].Name == name {
			return &j.Groups[i]
		}
	}
	return nil
}

// MetaFor returns the value of a meta key for a group: the group's own, else
// the job's. The second result is false where neither sets it.
func (j *Job) MetaFor(group, key string) (string, bool) {
	if j == nil {
		return "", false
	}
	if g := j.Group(group); g != nil {
		if v, ok := g.Meta[key]; ok {
			return v, true
		}
	}
	v, ok := j.Meta[key]
	return v, ok
}

// Group is a task group.
type Group struct {
	Name          string
	Count         int
	Meta          map[string]string
	Update        Update
	ShutdownDelay time.Duration
	// Services are the group-level services; those of tasks are with the task.
	Services []Service
	Tasks    []Task
}

// AllServices returns the group's services and then those of its tasks.
func (g *Group) AllServices() []Service {
	if g == nil {
		return nil
	}
	out := append([]Service(nil), g.Services...)
	for _, t := range g.Tasks {
		out = append(out, t.Services...)
	}
	return out
}

// Update is a group's update block after Nomad's defaults were applied.
type Update struct {
	Canary           int
	MaxParallel      int
	AutoPromote      bool
	AutoRevert       bool
	HealthCheck      string
	MinHealthyTime   time.Duration
	HealthyDeadline  time.Duration
	ProgressDeadline time.Duration
}

// Task is one task of a group.
type Task struct {
	Name   string
	Driver string
	// Hook is the lifecycle hook (prestart, poststart, poststop), empty for a
	// main task; Sidecar is true where a hook task runs beside the main ones.
	Hook          string
	Sidecar       bool
	Leader        bool
	ShutdownDelay time.Duration
	KillTimeout   time.Duration
	KillSignal    string
	Services      []Service
}

// Main reports whether the task is a main task: one that Nomad stops together
// with the allocation and that has no lifecycle hook.
func (t Task) Main() bool { return t.Hook == "" }

// Service providers of Nomad.
const (
	ProviderConsul = "consul"
	ProviderNomad  = "nomad"
)

// Service is a service block.
type Service struct {
	Name     string
	Provider string
	// Task is the task that the service block stands in, empty at group level.
	Task      string
	PortLabel string
	// Tags and CanaryTags are as written, before Nomad interpolates them.
	Tags       []string
	CanaryTags []string
	// OnUpdate is require_healthy, ignore_warnings or ignore.
	OnUpdate string
	// Connect is true for a service with a connect block.
	Connect bool
	Checks  []Check
}

// Check is a check block of a service.
type Check struct {
	Name          string
	Type          string
	Path          string
	PortLabel     string
	Interval      time.Duration
	Timeout       time.Duration
	InitialStatus string
	OnUpdate      string
	// RestartLimit is the check_restart limit, 0 where there is no such block.
	RestartLimit int
}

// Nomad's client and desired statuses that draingate tells apart.
const (
	ClientPending  = "pending"
	ClientRunning  = "running"
	ClientComplete = "complete"
	ClientFailed   = "failed"
	ClientLost     = "lost"
	ClientUnknown  = "unknown"
	DesiredRun     = "run"
	DesiredStop    = "stop"
	DesiredEvict   = "evict"
)

// Health is an allocation's deployment health: set once by Nomad and, for a
// client that watches checks, never looked at again.
type Health int

// The three values of Health.
const (
	HealthUnset Health = iota
	HealthTrue
	HealthFalse
)

// String returns unset, healthy or unhealthy.
func (h Health) String() string {
	switch h {
	case HealthUnset:
		return "unset"
	case HealthTrue:
		return "healthy"
	case HealthFalse:
		return "unhealthy"
	default:
		return "invalid"
	}
}

// Allocation is one allocation of a job.
type Allocation struct {
	ID            string
	Name          string
	Namespace     string
	JobID         string
	Group         string
	NodeID        string
	NodeName      string
	DeploymentID  string
	Canary        bool
	Health        Health
	ClientStatus  string
	DesiredStatus string
	// Migrating is true where Nomad was asked to move the allocation.
	Migrating   bool
	CreateIndex uint64
	CreatedAt   time.Time
	// Job is the version of the job that this allocation runs, embedded in
	// the allocation itself. It decides how the allocation will be stopped.
	Job *Job
}

// ClientTerminal reports whether the allocation's processes have ended.
// "unknown" (a disconnected client) and "lost" are not the same: an unknown
// allocation may still be serving.
func (a Allocation) ClientTerminal() bool {
	return a.ClientStatus == ClientComplete || a.ClientStatus == ClientFailed || a.ClientStatus == ClientLost
}

// ChangedInPlace reports whether the allocation's job was replaced by a newer
// version without a restart. What a task captured at its start, such as
// kill_timeout, then need not be what the job says (Nomad v1.11.3,
// client/allocrunner/taskrunner/driver_handle.go).
func (a Allocation) ChangedInPlace() bool {
	return a.Job == nil || a.CreateIndex < a.Job.ModifyIndex
}

// ShortID is the first eight characters of the ID, as Nomad's CLI prints it.
func (a Allocation) ShortID() string { return Short(a.ID) }

// Short is the first eight characters of a Nomad ID.
func Short(id string) string {
	if len(id) <= 8 {
		return id
	}
	return id[:8]
}
