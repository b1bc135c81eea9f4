package park

import "github.com/draingate/draingate/controller/model"

// Explanation says what a reason means and what a person can do, both as
// sentences in the marks of Markdown. docs/reasons.md has the same words, which a
// test compares.
type Explanation struct {
	Reason          model.Reason
	Meaning, Remedy string
}

// Explain returns the explanation of the reason of a park; false for one that no
// park of this version has.
func Explain(r model.Reason) (Explanation, bool) {
	for _, e := range Explanations() {
		if e.Reason == r {
			return e, true
		}
	}
	return Explanation{}, false
}

// Explanations are those of all reasons that a park can have: how it goes, what
// ends it, what is in its way, and then what refuses it, in the order in which that
// is looked for.
func Explanations() []Explanation {
	return append(goingOn(), refusals()...)
}

func goingOn() []Explanation {
	return []Explanation{
		{ReasonParked, "Placeholders stand in for the service: requests that reach one go to an instance that still serves, and wait where there is none.", "Nothing."},
		{ReasonPausing, "A person paused the service: placeholders come in, and its instances leave every proxy. Requests may still reach one.", "Wait for `Paused` before you rely on it."},
		{ReasonPaused, "A person paused the service: its instances are in Consul maintenance, no proxy routes to one, and requests wait.", "`draingate resume SERVICE` ends it; it ends by itself at its maximum."},
		{ReasonReleased, "An instance is passing and every proxy routes to it. Placeholders leave the catalog, and their listeners finish what still comes.", "Nothing."},
		{ReasonExpired, "No instance came within `draingate_park`. The requests that waited got their 503 and the placeholders leave. The same version is not parked for again before an instance was there.", "See why the new version does not pass: `nomad job status JOB`. Where it only takes longer than that, set a longer `draingate_park`."},
		{ReasonNoSuccessor, "The job is stopped, or its group has a count of 0, so there is nothing to wait for.", "Nothing."},
		{ReasonNoParker, "No instance of draingate is present that could take the requests, so they are lost as without it.", "Run draingate as a system job, without `--no-park`, with Consul's `service_prefix \"\" { policy = \"write\" }`. `draingate park list` shows who is present, and what each of them cannot do."},
		{ReasonInvalid, "`draingate_park` is not a time that requests can be parked for, so they are lost as without it.", "Give it a duration such as `30s`; the message says what is wrong."},
		{ReasonUnknown, "Something that bears on it could not be read: the job, its allocations, its overrides or the catalog. A park that is on goes on until its time is over; none is begun.", "The message names it."},
	}
}

func refusals() []Explanation {
	return []Explanation{
		{ReasonNotService, "The job is no service job.", "Nothing: requests are parked for service jobs only."},
		{ReasonProviderNomad, "The service is registered with Nomad, and a placeholder stands in Consul's catalog.", "Set `provider = \"consul\"`."},
		{ReasonConnect, "Requests come through Consul's mesh, which a placeholder has no part in.", "Route to the service without the mesh."},
		{ReasonTagsUnknown, "What a proxy makes of the tags is not known, or it refuses them.", "The message has what it says."},
		{ReasonProtocol, "Tags ask for TCP or UDP routers, whose connections would reach a placeholder that speaks HTTP only.", "Give HTTP a service of its own."},
		{ReasonScheme, "The proxy speaks something other than plain HTTP/1.1 to the instances, such as https or h2c.", "Let the instances speak http to the proxy."},
		{ReasonWeight, "An instance of this weight gets no request, and neither does a placeholder with the same tags.", "Leave `server.weight` out."},
		{ReasonPassiveHealthCheck, "A failed request would take the placeholder out of the pool, with all that wait in it.", "Remove `passivehealthcheck` from the tags."},
		{ReasonHealthCheck, "Traefik's health check asks on another port, by gRPC or by https, where a placeholder cannot answer it.", "Remove `healthcheck.port`, or set `healthcheck.mode` and `healthcheck.scheme` to http."},
		{ReasonLimit, "A middleware of the router counts the requests that wait (inFlightReq), or takes slow answers for a failure (circuitBreaker).", "Take it off the router."},
		{ReasonResponseTimeout, "The proxy waits for the headers of a response for less time than a request may be parked.", "Set `responseHeaderTimeout` above `draingate_park`, or `draingate_park` below it."},
		{ReasonEntryPointTimeout, "An entry point ends connections sooner than a parked request may be answered: `readTimeout` (by default 60 s) or `writeTimeout`.", "Set it above `draingate_park` by the time of the slowest request, or to 0, or `draingate_park` below it."},
		{ReasonTagsDiffer, "The versions define one router, service or middleware differently, and a proxy drops it while a placeholder of the old one stands beside the new one.", "Change the tags in a deploy of their own."},
		{ReasonNotRouted, "No proxy routes to the service by HTTP, so there are no requests to park.", "Expose it to a Traefik with the Consul catalog provider, or remove `draingate_park`."},
	}
}
