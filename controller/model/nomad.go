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
	// ProgressBy is when Nomad fails the deployment unless an allocation of the
	// group becomes healthy before (RequireProgressBy); zero where it never does.
	ProgressBy time.Time
}

// Job types of Nomad that draingate tells apart.
const (
	JobTypeService = "service"
	JobTypeSystem  = "system"
)

// JobStub is what a list of jobs says of one.
type JobStub struct {
	Namespace, ID string
	Type          string
	Stopped       bool
	// ModifyIndex changes whenever a version of the job is registered.
	ModifyIndex uint64
}

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
	// Volumes is sorted by name.
	Volumes []Volume
	// Networks is in the order of the job; a group has one at most.
	Networks      []Network
	EphemeralDisk EphemeralDisk
	// DistinctHosts is true where the group or the job has the constraint
	// distinct_hosts: no two allocations of the group on one node.
	DistinctHosts bool
}

// Types of a group's volume (nomad/structs/volumes.go, v1.11.3).
const (
	VolumeHost = "host"
	VolumeCSI  = "csi"
)

// Access modes of a volume that let one allocation write at a time, or one
// node (nomad/structs/csi.go and host_volumes.go, v1.11.3).
const (
	AccessSingleNodeWriter       = "single-node-writer"
	AccessSingleNodeSingleWriter = "single-node-single-writer"
)

// Volume is a volume block of a group: a wish for storage that exists outside
// the allocation.
type Volume struct {
	Name string
	// Type is host or csi.
	Type string
	// Source is the volume's ID or name, as written.
	Source   string
	ReadOnly bool
	// Sticky is true where a replacement allocation must get the same volume.
	Sticky bool
	// PerAlloc is true where each allocation has a volume of its own, named
	// after the allocation's index. Nomad refuses it together with canaries.
	PerAlloc bool
	// AccessMode and AttachmentMode are empty where the job leaves them to the
	// volume.
	AccessMode     string
	AttachmentMode string
}

// Network is a network block of a group or, in older jobs, of a task's
// resources.
type Network struct {
	// Mode is host, bridge, none or cni/NAME; empty means host.
	Mode string
	// Ports has the static ones first and is otherwise in the order of the job.
	Ports []Port
}

// Port is a labelled port.
type Port struct {
	Label string
	// Static is the port on the host that the job insists on, 0 for one that
	// Nomad chooses.
	Static int
	// To is the port inside the network namespace, 0 for the same one.
	To int
	// HostNetwork is the name of the node's network the port is on; "default"
	// where the job names none.
	HostNetwork string
}

// EphemeralDisk is the disk that lives as long as its allocation. Its data
// moves to a replacement only where that has a previous allocation, which a
// canary has not.
type EphemeralDisk struct {
	Sticky  bool
	Migrate bool
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
	// Meta is the task's own meta block; that of the group and of the job is
	// not merged into it.
	Meta map[string]string
	// Program is what the driver starts, and Env the task's own environment,
	// both as written, before Nomad interpolates them.
	Program Program
	Env     map[string]string
	// Templates, Artifacts and VolumeMounts are in the order of the job.
	// Artifacts holds the destinations.
	Templates    []Template
	Artifacts    []string
	VolumeMounts []VolumeMount
	// Networks are those of the task's resources, which jobs used before
	// groups had networks.
	Networks []Network
}

// What Nomad does with a task when one of its templates renders anew.
const (
	ChangeNoop    = "noop"
	ChangeSignal  = "signal"
	ChangeRestart = "restart"
	ChangeScript  = "script"
)

// Template is a template block of a task.
type Template struct {
	// Source is a file on the node; Data is the text itself. One is empty.
	Source      string
	Data        string
	Destination string
	// LeftDelim and RightDelim stand around the actions in the text.
	LeftDelim, RightDelim string
	// ChangeMode is noop, signal, restart or script.
	ChangeMode   string
	ChangeSignal string
	// Env is true where the rendered file becomes environment variables.
	Env bool
	// Once is true where the template is rendered before the task starts and
	// never again.
	Once bool
	// Splay is the longest random wait before the change is acted on.
	Splay time.Duration
}

// VolumeMount says that a task has a group's volume in its file system.
type VolumeMount struct {
	Volume      string
	Destination string
	ReadOnly    bool
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
	// AddressMode is auto, host, driver, alloc or alloc_ipv6; Address is the
	// address itself where the job gives one.
	AddressMode string
	Address     string
	// EnableTagOverride is true where Nomad leaves alone what others change in
	// the tags in Consul's catalog.
	EnableTagOverride bool
	// ForTask is the task that a group-level service names as its own with the
	// attribute task; empty for a service without it.
	ForTask string
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
	// Restart is the check_restart block of the check merged with that of its
	// service, nil where neither has one. It acts only with a Limit above 0.
	Restart *CheckRestart
	// Method and Protocol are as written: empty means GET and http.
	Method   string
	Protocol string
	// AddressMode is empty where the check follows its service.
	AddressMode string
	// Expose is true where Envoy opens a way around the mesh for the check.
	Expose bool
	// Task is the task that the check runs in or is counted for.
	Task string
	// SuccessBeforePassing is how many times in a row the check must succeed
	// before Consul calls it passing, FailuresBeforeCritical how many times it
	// may fail before Consul calls it critical, FailuresBeforeWarning the same
	// for warning.
	SuccessBeforePassing   int
	FailuresBeforeCritical int
	FailuresBeforeWarning  int
}

// CheckRestart says when a failing check makes Nomad restart the task.
type CheckRestart struct {
	// Limit is how many failures in a row restart the task, 0 for never.
	Limit int
	// Grace is how long after the start of the task failures do not count.
	Grace          time.Duration
	IgnoreWarnings bool
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
	// ModifiedAt is when Nomad\'s servers last changed it, by their clocks.
	ModifiedAt time.Time
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
