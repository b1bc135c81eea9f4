package parker

import (
	"maps"
	"time"

	"github.com/draingate/draingate/controller/park"
	"github.com/draingate/draingate/controller/parking"
)

// figuresEvery is how old the figures are at most that the presence tells: they
// change with each request, and each change is a write to Consul.
const figuresEvery = time.Second

// count looks at the figures of all lots, unless that was a short while ago.
func (p *Parker) count(now time.Time) {
	if now.Sub(p.counted) < figuresEvery {
		return
	}
	p.counted, p.figures = now, map[string]parking.Figures{}
	for service, l := range p.lots {
		p.figures[service] = l.Figures()
	}
}

// figured are the lots with their figures.
func (p *Parker) figured(lots map[string]park.Lot) map[string]park.Lot {
	out := maps.Clone(lots)
	for service, lot := range out {
		if f, counted := p.figures[service]; counted {
			lot.Figures = figuresOf(f)
			out[service] = lot
		}
	}
	return out
}

func figuresOf(f parking.Figures) park.Figures {
	out := park.Figures{
		Peak: f.Peak, Longest: f.Longest.Round(time.Millisecond), UnderWay: f.UnderWay, Upgrades: f.Upgrades,
		Forwarded: f.Forwarded, Released: f.Released, Gone: f.Gone, Failed: f.Failed,
	}
	for reason, n := range f.Refused {
		if reason == parking.ReasonTime || reason == parking.ReasonExpired {
			out.Expired += n
			continue
		}
		out.Refused += n
	}
	return out
}
