package forecast

// pool counts the servers of a configuration that are not DOWN, by what becomes
// of a request that is sent to one.
type pool struct {
	// good answer, warming answer 503, cut end before the answer, and gone refuse
	// the connection.
	good, warming, cut, gone int
}

func (p pool) size() int { return p.good + p.warming + p.cut + p.gone }

// lost is the share of requests that find no answer, on either side. Requests go round; where
// they come one after another each attempt finds the next server, but beside
// others an attempt may find any, which is what is reckoned with. Only a
// refused connection is tried again (Traefik v3.6.12,
// pkg/middlewares/retry/retry.go).
//
// What no server of the pool could have answered is lost on the start side: the
// new instances should have been in it. So is what a warming one answers.
func (p pool) lost(attempts int) (start, stop float64) {
	n := float64(p.size())
	if p.good == 0 {
		return 1, 0
	}
	refused := float64(p.gone) / n
	tries, refusedAll := 0.0, 1.0
	for range max(1, attempts) {
		tries += refusedAll
		refusedAll *= refused
	}
	return tries * float64(p.warming) / n, tries*float64(p.cut)/n + refusedAll
}
