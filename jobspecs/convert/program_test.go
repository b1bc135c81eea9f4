package convert_test

import (
	"testing"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/draingate/draingate/controller/model"
	"github.com/draingate/draingate/jobspecs/convert"
)

func TestProgram(t *testing.T) {
	tests := map[string]struct {
		config map[string]any
		want   model.Program
	}{
		"nothing":                         {nil, model.Program{}},
		"a block as HCL has it":           {map[string]any{"mount": []map[string]any{{"type": "bind", "source": "local", "target": "/a"}}}, model.Program{Mounts: []model.Mount{{Source: "local", Target: "/a"}}}},
		"a list of objects":               {map[string]any{"mounts": []any{map[string]any{"type": "volume", "source": "v", "target": "/a"}}}, model.Program{Mounts: []model.Mount{{Source: "/volume/v", Target: "/a"}}}},
		"numbers and switches":            {map[string]any{"args": []any{"a", 1, true, 2.5}, "command": "x"}, model.Program{Command: "x", Args: []string{"a", "1", "true", "2.5"}}},
		"podman's entrypoint":             {map[string]any{"entrypoint": "traefik"}, model.Program{Entrypoint: []string{"traefik"}}},
		"arguments that are no list":      {map[string]any{"args": "--api"}, model.Program{Odd: []string{"args"}}},
		"a list in the list":              {map[string]any{"args": []any{[]any{"a"}}}, model.Program{Odd: []string{"args"}}},
		"an image that is no text":        {map[string]any{"image": []any{"a"}}, model.Program{Odd: []string{"image"}}},
		"a volume without a target":       {map[string]any{"volumes": []any{"local"}}, model.Program{Odd: []string{"volumes"}}},
		"a mount without a target":        {map[string]any{"mount": map[string]any{"type": "bind"}}, model.Program{Odd: []string{"mount"}}},
		"what no driver here knows is no": {map[string]any{"ports": []any{"http"}}, model.Program{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			name := "x"
			job := convert.Job(&nomadapi.Job{ID: &name, TaskGroups: []*nomadapi.TaskGroup{{Name: &name, Tasks: []*nomadapi.Task{{Name: name, Config: tt.config}}}}})
			require.Equal(t, tt.want, job.Groups[0].Tasks[0].Program)
		})
	}
}
