// Package forecast predicts what one deploy of one service loses behind one
// proxy: it puts the deploy on a time axis, lets the proxy load the catalog at
// every phase that it may have, and adds up the time during which requests
// find nobody who answers them.
//
//	t=0      canary passes   healthy: promoted    old one ends
//	|-----------|----------------|-------- S --------|
//	              ^                       ^
//	              each is seen at the proxy's next load: refreshInterval apart,
//	              at a phase that nobody chooses
//
// A loss is a length of time: one second is all the requests of one second, so
// that the rate is a matter of whoever shows it. Nothing here is random: the
// phases and latencies that are not known run over a fixed grid.
//
// It must not read a clock, do I/O or decide anything about a deployment that
// runs: package gate does that. What it cannot model it names and leaves out.
package forecast
