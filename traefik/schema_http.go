package traefik

type httpModel struct {
	Middlewares                 []string
	TLS                         *routerTLS `label:"allowEmpty"`
	Observability               routerObservability
	DeniedEncodedPathCharacters *deniedCharacters `label:"-"`
	DefaultRuleSyntax           string            `label:"-"`
}

type httpRouter struct {
	EntryPoints                 []string
	Middlewares                 []string
	Service                     string
	Rule                        string
	ParentRefs                  []string `label:"-"`
	RuleSyntax                  string
	Priority                    int
	TLS                         *routerTLS `label:"allowEmpty"`
	Observability               *routerObservability
	DefaultRule                 bool              `label:"-"`
	DeniedEncodedPathCharacters *deniedCharacters `label:"-"`
}

type deniedCharacters struct {
	AllowEncodedSlash         bool
	AllowEncodedBackSlash     bool
	AllowEncodedNullCharacter bool
	AllowEncodedSemicolon     bool
	AllowEncodedPercent       bool
	AllowEncodedQuestionMark  bool
	AllowEncodedHash          bool
}

type routerTLS struct {
	Options      string
	CertResolver string
	Domains      []domain
}

type routerObservability struct {
	AccessLogs     *bool
	Metrics        *bool
	Tracing        *bool
	TraceVerbosity string
}

type httpService struct {
	LoadBalancer        *loadBalancer
	HighestRandomWeight *highestRandomWeight `label:"-"`
	Weighted            *weighted            `label:"-"`
	Mirroring           *mirroring           `label:"-"`
	Failover            *failover            `label:"-"`
}

type loadBalancer struct {
	Sticky             *sticky  `label:"allowEmpty"`
	Servers            []server `label-slice-as-struct:"server"`
	Strategy           string
	HealthCheck        *serverHealthCheck
	PassiveHealthCheck *passiveHealthCheck
	PassHostHeader     *bool
	ResponseForwarding *responseForwarding
	ServersTransport   string
}

type responseForwarding struct {
	FlushInterval duration
}

type server struct {
	URL          string
	Weight       *int
	PreservePath bool
	Fenced       bool `label:"-"`
	Scheme       string
	Port         string
}

type serverHealthCheck struct {
	Scheme            string
	Mode              string
	Path              string
	Method            string
	Status            int
	Port              int
	Interval          duration
	UnhealthyInterval *duration
	Timeout           duration
	Hostname          string
	FollowRedirects   *bool
	Headers           map[string]string
}

type passiveHealthCheck struct {
	FailureWindow     duration
	MaxFailedAttempts int
}

type sticky struct {
	Cookie *cookie `label:"allowEmpty"`
}

type cookie struct {
	Name     string
	Secure   bool
	HTTPOnly bool
	SameSite string
	MaxAge   int
	Path     *string
	Domain   string
}

type parentHealthCheck struct{}

type mirroring struct {
	Service     string
	MirrorBody  *bool
	MaxBodySize *int64
	Mirrors     []mirrorService
	HealthCheck *parentHealthCheck `label:"allowEmpty"`
}

type mirrorService struct {
	Name    string
	Percent int
}

type failover struct {
	Service     string
	Fallback    string
	HealthCheck *parentHealthCheck `label:"allowEmpty"`
}

type weighted struct {
	Services    []weightedService
	Sticky      *sticky
	HealthCheck *parentHealthCheck `label:"allowEmpty"`
}

type weightedService struct {
	Name       string
	Weight     *int
	Headers    map[string]string `label:"-"`
	Status     *int              `label:"-"`
	GRPCStatus *grpcStatus       `label:"-"`
}

type grpcStatus struct {
	Code uint32
	Msg  string
}

type highestRandomWeight struct {
	Services    []hrwService
	HealthCheck *parentHealthCheck `label:"allowEmpty"`
}

type hrwService struct {
	Name   string
	Weight *int
}
