// Package gate decides, from one snapshot and the memory of earlier ones,
// whether a deployment may be promoted.
//
// It is a chain of checks in a fixed order; the first that finds something
// gives the decision its reason and message, and every check also feeds one
// condition. Order is meaning: off, ended, frozen, unsupported, unknown, start
// side, stop side, promote. Whatever is missing, stale or contradictory holds.
//
// What the gate looks at, for one group behind two proxies:
//
//	            Nomad            Consul            proxy a          proxy b
//	old alloc   running          passing           in pool web      in pool web
//	canary      running          critical          -                -           CanaryNotHealthy
//	canary      running,healthy  passing           -                -           CanaryNotListed (a, b)
//	canary      running,healthy  passing           in pool web      -           CanaryNotListed (b)
//	canary      running,healthy  passing           in pool web      in pool web WindowRunning
//	... for max(5 s, two check intervals) without a blip; then the stop side:
//	old alloc   S                                  T(a)             T(b)        S ≥ T + L + margin
//
// Nothing here does I/O or reads a clock: the time is part of the input.
package gate
