package parker

// State is what an instance says of the parks on its node.
type State struct {
	// Node is the name of the Consul agent; empty until it answered.
	Node string
	// Problem says what goes wrong now; empty where nothing does.
	Problem string
}

// What can go wrong, each with a problem of its own.
const (
	aboutPresence = "presence"
	aboutRecords  = "records"
	aboutServices = "services"
	aboutLots     = "placeholders"
	aboutPass     = "pass"
)

// State is safe for concurrent use with Run.
func (p *Parker) State() State { return State{Node: p.board.Node(), Problem: p.board.Problems()} }
