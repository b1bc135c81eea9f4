package forecast

import (
	"math"
	"time"
)

// grid are points in time: first, and every period before and after it. With a
// period of 0 every point in time is one of them.
type grid struct{ first, period time.Duration }

// next is the first point that is not before t.
func (g grid) next(t time.Duration) time.Duration {
	at := g.last(t)
	if at < t {
		at += g.period
	}
	return at
}

// last is the last point that is not after t.
func (g grid) last(t time.Duration) time.Duration {
	if g.period <= 0 {
		return t
	}
	steps := (t - g.first) / g.period
	at := g.first + steps*g.period
	if at > t {
		at -= g.period
	}
	return at
}

// chance holds what nobody chooses: each is a share, from 0 to just below 1,
// of the longest it can be.
type chance struct {
	// load and throttle are the phases of the proxy's two grids at t = 0, check
	// is that of its own health check.
	load, throttle, check float64
	apply                 float64
	// turn is where the latencies of each turn are taken from.
	turn point
}

// The dimensions of a point: those of the proxy, and after them the latencies of
// each turn.
const (
	proxyThrottle = iota
	proxyCheck
	proxyApply
	proxies
)

// The latencies of a turn.
const (
	latencyHealth = iota
	latencyCheck
	latencyRestart
	latencies
)

// point is one of a sequence that fills a space of any dimension evenly: that of
// Kronecker, with a step for each dimension whose multiples are spread evenly.
// With a fixed of 0 or more it is that in all dimensions instead.
type point struct {
	n     int
	fixed float64
}

// spread is a point of the sequence; same is equal in all dimensions.
func spread(n int) point       { return point{n: n, fixed: -1} }
func same(share float64) point { return point{fixed: share} }

// in is the coordinate in a dimension, from 0 on. The steps are multiples of one
// irrational number off another, so that no two dimensions go together.
func (p point) in(dimension int) float64 {
	if p.fixed >= 0 {
		return p.fixed
	}
	const golden, plastic = 0.61803398874989485, 0.75487766624669276
	step := math.Mod(golden+float64(dimension)*plastic, 1)
	return math.Mod(0.5+float64(p.n+1)*step, 1)
}

// latency is how long something takes in a turn, at most the longest.
func (c chance) latency(turn, kind int, longest time.Duration) time.Duration {
	return part(c.turn.in(proxies+turn*latencies+kind), longest)
}

func part(share float64, of time.Duration) time.Duration {
	return time.Duration(share * float64(of))
}

// never is later than anything that happens.
const never = 1 << 60 * time.Nanosecond
