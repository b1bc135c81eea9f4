package app

import "fmt"

// filesBeside is what a process opens beside those of requests that wait: clients,
// watches, listeners, the status endpoint.
const filesBeside = 256

// filesOfRequest is how many a request has open while it waits, and then is passed
// on: the connection of the proxy, and the one to the instance.
const filesOfRequest = 2

// filesNeeded is how many files a process may have open that parks as many
// requests.
func filesNeeded(requests int) uint64 {
	return uint64(max(requests, 0))*filesOfRequest + filesBeside
}

// tooFewFiles says what is missing where the limit of open files is below what the
// bound on requests needs; empty where it is not, or is not known.
func tooFewFiles(limit uint64, requests int) string {
	need := filesNeeded(requests)
	if limit == 0 || limit >= need {
		return ""
	}
	fit := 0
	if limit > filesBeside {
		fit = int((limit - filesBeside) / filesOfRequest) //nolint:gosec // the limit is below what an int needs
	}
	return fmt.Sprintf("the limit of open files is %d, and --park-requests-total %d needs %d: raise it to that (LimitNOFILE of the Nomad client's unit, ulimits of a container), or lower the flag to %d or less",
		limit, requests, need, fit)
}

// warnOfFileLimit tells at the start that a park may run out of files. Go has
// raised the soft limit to the hard one by then (syscall/rlimit.go, Go 1.26).
func (a *App) warnOfFileLimit() {
	if a.parker == nil {
		return
	}
	if why := tooFewFiles(openFiles(), a.options.Park.Requests); why != "" {
		a.log.Info("fewer requests can wait than may", "why", why)
	}
}
