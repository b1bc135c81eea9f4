package fence

import "github.com/draingate/draingate/controller/model"

// Reasons of a Hold or of an ended record.
const (
	// ReasonSetNotPredictable: it cannot be known which old allocations the
	// promotion stops.
	ReasonSetNotPredictable model.Reason = "SetNotPredictable"
	// ReasonCapacityTooLow: without the old instances that the promotion stops,
	// fewer would be left than a rolling update leaves.
	ReasonCapacityTooLow model.Reason = "CapacityTooLow"
	// ReasonNoFencerOnNode: no draingate is present on the node of an old allocation.
	ReasonNoFencerOnNode model.Reason = "NoFencerOnNode"
	// ReasonFenceAborted: the one attempt came to nothing.
	ReasonFenceAborted model.Reason = "FenceAborted"
	// ReasonFencing: the fence is on its way.
	ReasonFencing model.Reason = "Fencing"
	// ReasonRecordUnknown: the record of the fence is in a form that is not known.
	ReasonRecordUnknown model.Reason = "FenceRecordUnknown"
)
