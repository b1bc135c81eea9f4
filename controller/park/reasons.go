package park

import "github.com/draingate/draingate/controller/model"

// Reasons of a park, for people and for metrics.
const (
	// ReasonParked: placeholders stand in for the service.
	ReasonParked model.Reason = "Parked"
	// ReasonPausing: a person asked for it, and requests may still reach an instance.
	ReasonPausing model.Reason = "Pausing"
	// ReasonPaused: a person asked for it, and no proxy routes to an instance.
	ReasonPaused model.Reason = "Paused"
	// ReasonReleased: an instance is in every pool; the placeholders leave.
	ReasonReleased model.Reason = "Released"
	// ReasonExpired: no instance came in time.
	ReasonExpired model.Reason = "ParkExpired"
	// ReasonNoSuccessor: nothing is to come that could be waited for.
	ReasonNoSuccessor model.Reason = "NoSuccessor"
	// ReasonNoParker: no instance of draingate can take the requests.
	ReasonNoParker model.Reason = "NoParker"
	// ReasonUnknown: something that bears on it could not be read.
	ReasonUnknown model.Reason = "ParkUnknown"
	// ReasonInvalid: draingate_park is not a time that requests can be parked for.
	ReasonInvalid model.Reason = "ParkInvalid"
)
