package rule

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/draingate/draingate/controller/model"
)

func TestNotIgnored(t *testing.T) {
	all := []Finding{{Rule: "DG101", Path: `group["a"].shutdown_delay`}, {Rule: "DG101", Path: `group["b"].shutdown_delay`}, {Rule: "DG501"}}
	tests := map[string]struct {
		job, group map[string]string
		want       []Finding
	}{
		"nothing is ignored without an entry":                           {nil, nil, all},
		"the job's meta covers all of it":                               {map[string]string{"draingate_ignore_dg101": "nobody calls it"}, nil, all[2:]},
		"the meta of a group covers that group":                         {nil, map[string]string{"draingate_ignore_DG101": "nobody calls it"}, all[1:]},
		"an ignore without a reason is not in force":                    {map[string]string{"draingate_ignore_DG101": " "}, nil, all},
		"a finding about the settings can be ignored by the job's meta": {map[string]string{"draingate_ignore_DG501": "known"}, nil, all[:2]},
		"and not by that of a group":                                    {nil, map[string]string{"draingate_ignore_DG501": "known"}, all},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := &model.Job{Meta: tt.job, Groups: []model.Group{{Name: "a", Meta: tt.group}, {Name: "b"}}}
			if diff := cmp.Diff(tt.want, NotIgnored(job, all)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
