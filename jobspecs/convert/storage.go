package convert

import (
	"cmp"
	"maps"
	"slices"

	nomadapi "github.com/hashicorp/nomad/api"

	"github.com/draingate/draingate/controller/model"
)

func volumes(in map[string]*nomadapi.VolumeRequest) []model.Volume {
	var out []model.Volume
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := value(in[name])
		out = append(out, model.Volume{
			Name:           name,
			Type:           v.Type,
			Source:         v.Source,
			ReadOnly:       v.ReadOnly,
			Sticky:         v.Sticky,
			PerAlloc:       v.PerAlloc,
			AccessMode:     v.AccessMode,
			AttachmentMode: v.AttachmentMode,
		})
	}
	return out
}

func networks(in []*nomadapi.NetworkResource) []model.Network {
	var out []model.Network
	for _, n := range in {
		network := model.Network{Mode: n.Mode}
		for _, p := range slices.Concat(n.ReservedPorts, n.DynamicPorts) {
			network.Ports = append(network.Ports, model.Port{Label: p.Label, Static: p.Value, To: p.To, HostNetwork: cmp.Or(p.HostNetwork, "default")})
		}
		out = append(out, network)
	}
	return out
}
