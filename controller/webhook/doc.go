// Package webhook posts events to one URL: signed, in order, tried again for a
// bounded time.
//
// It must not hold up whoever hands it an event, keep an unbounded number of
// them, or show the URL or the secret in an error: the path of a webhook is
// often a secret of its own.
package webhook
