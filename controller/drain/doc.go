// Package drain holds the arithmetic of the stop side: how long a proxy goes
// on routing to an instance that left the catalog (T), and how long that
// instance goes on serving (S).
//
//	leaves the catalog      proxy p stops routing     last request ends   exits
//	t_out                   t_off(p)                  t_off(p) + L        t_end
//	|---------- T(p) -------|----------- L -----------|                   |
//	|------------------------------- S -----------------------------------|
//
// Promotion may stop an old instance only where S ≥ T(p) + L + margin for
// every proxy p. All figures are durations; nothing here reads a clock, does
// I/O or knows what a snapshot is.
package drain
