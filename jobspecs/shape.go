package jobspecs

import (
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
)

// form says how blocks of one type are told apart.
type form int

const (
	// single is a block of which there is one at most.
	single form = iota
	// several are addressed by their place.
	several
	// labelled are addressed by their label.
	labelled
)

// shape is the part of Nomad's grammar that positions need: which blocks stand
// in which. Attributes need none, they are taken as they come.
type shape struct {
	blocks []block
	// mapping is true where the attributes are the keys of a map.
	mapping bool
	// renamed has the attributes whose field in the API is named otherwise.
	renamed map[string]string
}

// block is a type of block within another.
type block struct {
	name string
	form form
	// fields are the fields of the API that hold such blocks.
	fields []string
	// key is the field of the API that has the label.
	key string
	// zeroForNull is true where a null in the list is a block without
	// attributes; elsewhere it is nothing at all.
	zeroForNull bool
	shape       *shape
}

// named returns the type of block, or nil.
func (s *shape) named(name string) *block {
	if i := slices.IndexFunc(s.blocks, func(b block) bool { return b.name == name }); i >= 0 {
		return &s.blocks[i]
	}
	return nil
}

// inField returns the type of block that a field of the API holds, or nil. Go's
// decoder does not mind the case of a field.
func (s *shape) inField(field string) *block {
	is := func(f string) bool { return strings.EqualFold(f, field) }
	if i := slices.IndexFunc(s.blocks, func(b block) bool { return slices.ContainsFunc(b.fields, is) }); i >= 0 {
		return &s.blocks[i]
	}
	return nil
}

// schema is the shape in HCL's terms.
func (s *shape) schema() *hcl.BodySchema {
	out := &hcl.BodySchema{}
	for _, b := range s.blocks {
		header := hcl.BlockHeaderSchema{Type: b.name}
		if b.form == labelled {
			header.LabelNames = []string{"name"}
		}
		out.Blocks = append(out.Blocks, header)
	}
	return out
}

// attribute is the name in HCL of a field of the API.
func (s *shape) attribute(field string) string {
	for hclName, apiName := range s.renamed {
		if strings.EqualFold(apiName, field) {
			return hclName
		}
	}
	return snake(field)
}

// snake turns KillTimeout into kill_timeout and GRPCUseTLS into grpc_use_tls.
func snake(field string) string {
	var out strings.Builder
	runes := []rune(field)
	for i, r := range runes {
		starts := i > 0 && unicode.IsUpper(r) &&
			(unicode.IsLower(runes[i-1]) || (i+1 < len(runes) && unicode.IsLower(runes[i+1])))
		if starts {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// leaf is a block without blocks that matter here.
func leaf(name, field string) block {
	return block{name: name, fields: []string{field}, shape: &shape{}}
}

func mapping(name, field string) block {
	return block{name: name, fields: []string{field}, shape: &shape{mapping: true}}
}

func list(name, field string, s *shape) block {
	return block{name: name, form: several, fields: []string{field}, shape: s}
}

func label(name, field, key string, s *shape) block {
	return block{name: name, form: labelled, fields: []string{field}, key: key, shape: s}
}

// jobShape is the grammar of a job block (nomad/api, the hcl tags of Job and
// of what it holds).
func jobShape() *shape {
	task := taskShape()
	return &shape{blocks: []block{
		label("group", "TaskGroups", "Name", groupShape(task)), label("task", "", "", task),
		leaf("update", "Update"), mapping("meta", "Meta"), leaf("periodic", "Periodic"), leaf("parameterized", "ParameterizedJob"),
		leaf("reschedule", "Reschedule"), leaf("migrate", "Migrate"), leaf("vault", ""), leaf("ui", "UI"),
		{name: "multiregion", fields: []string{"Multiregion"}, shape: &shape{blocks: []block{
			leaf("strategy", "Strategy"), label("region", "Regions", "Name", &shape{blocks: []block{mapping("meta", "Meta")}}),
		}}},
		list("constraint", "Constraints", &shape{}), list("affinity", "Affinities", &shape{}), list("spread", "Spreads", &shape{}),
	}}
}

func groupShape(task *shape) *shape {
	return &shape{blocks: []block{
		label("task", "Tasks", "Name", task), list("service", "Services", serviceShape()), list("network", "Networks", networkShape()),
		label("volume", "Volumes", "Name", &shape{blocks: []block{leaf("mount_options", "MountOptions")}}),
		leaf("update", "Update"), leaf("ephemeral_disk", "EphemeralDisk"), mapping("meta", "Meta"), leaf("restart", "RestartPolicy"),
		leaf("reschedule", "ReschedulePolicy"), leaf("migrate", "Migrate"), leaf("disconnect", "Disconnect"), leaf("scaling", "Scaling"),
		leaf("consul", "Consul"), leaf("vault", ""),
		list("constraint", "Constraints", &shape{}), list("affinity", "Affinities", &shape{}), list("spread", "Spreads", &shape{}),
	}}
}

func serviceShape() *shape {
	check := list("check", "Checks", &shape{
		blocks:  []block{leaf("check_restart", "CheckRestart"), mapping("header", "Header")},
		renamed: map[string]string{"port": "PortLabel", "task": "TaskName"},
	})
	check.zeroForNull = true
	return &shape{
		renamed: map[string]string{"port": "PortLabel", "task": "TaskName"},
		blocks: []block{
			check, leaf("check_restart", "CheckRestart"), leaf("connect", "Connect"), leaf("weights", "Weights"), leaf("identity", "Identity"),
			mapping("meta", "Meta"), mapping("canary_meta", "CanaryMeta"), mapping("tagged_addresses", "TaggedAddresses"),
		},
	}
}

func networkShape() *shape {
	port := label("port", "DynamicPorts", "Label", &shape{renamed: map[string]string{"static": "Value"}})
	port.fields = append(port.fields, "ReservedPorts")
	return &shape{blocks: []block{port, leaf("dns", "DNS")}}
}

func taskShape() *shape {
	template := &shape{
		blocks:  []block{leaf("change_script", "ChangeScript"), leaf("wait", "Wait")},
		renamed: map[string]string{"source": "SourcePath", "destination": "DestPath", "data": "EmbeddedTmpl", "env": "Envvars"},
	}
	return &shape{blocks: []block{
		leaf("lifecycle", "Lifecycle"), leaf("config", "Config"), mapping("env", "Env"), mapping("meta", "Meta"),
		list("service", "Services", serviceShape()), list("template", "Templates", template), list("volume_mount", "VolumeMounts", &shape{}),
		{name: "resources", fields: []string{"Resources"}, shape: &shape{blocks: []block{list("network", "Networks", networkShape())}}},
		leaf("restart", "RestartPolicy"), leaf("logs", "LogConfig"), leaf("vault", "Vault"), leaf("consul", "Consul"),
		list("artifact", "Artifacts", &shape{}), list("constraint", "Constraints", &shape{}), list("affinity", "Affinities", &shape{}),
		list("identity", "Identities", &shape{}),
	}}
}
