// Package parking is the data path of park and release: a listener for each
// service that is parked for. A request that reaches it goes to a real instance
// that takes it, or waits, bounded in number, bytes and time, until there is one.
//
// It is told which instances there are and knows nothing of Consul, Nomad or
// Traefik. It must never send a request twice, nor one whose client has left:
// a request waits as long as nothing of it was sent, which is as long as no
// connection for it could be made; from then on it has one answer, its instance's
// or a 502. It must not read a body before there is an instance to read it, nor
// change a request or an answer that it passes on.
package parking
