package traefik

// flagAccessLog are the flags of the access log. This and what follows is what
// Traefik says about itself, none of which bears on routing.
type flagAccessLog struct {
	AddInternals, DualOutput        bool
	BufferingSize, FilePath, Format string
	Fields                          *flagFields
	Filters                         *flagFilters
	OTLP                            *flagOTLP `label:"allowEmpty"`
}

type flagFields struct {
	DefaultMode     string
	Headers         *flagHeaders
	QueryParameters *flagQueryParameters
	Names           map[string]string
}

type flagHeaders struct {
	DefaultMode string
	Names       map[string]string
}

type flagQueryParameters struct {
	DefaultMode string
}

type flagFilters struct {
	StatusCodes   []string
	RetryAttempts bool
	MinDuration   string
}

type flagLog struct {
	Compress, NoColor                                    bool
	FilePath, Format, Level, MaxAge, MaxBackups, MaxSize string
	OTLP                                                 *flagOTLP `label:"allowEmpty"`
}

type flagMetrics struct {
	AddInternals    bool
	Datadog, StatsD *flagDatadog     `label:"allowEmpty"`
	InfluxDB2       *flagInfluxDB2   `label:"allowEmpty"`
	OTLP            *flagMetricsOTLP `label:"allowEmpty"`
	Prometheus      *flagPrometheus  `label:"allowEmpty"`
}

type flagDatadog struct {
	AddEntryPointsLabels, AddRoutersLabels, AddServicesLabels bool
	Address, Prefix, PushInterval                             string
}

type flagInfluxDB2 struct {
	AddEntryPointsLabels, AddRoutersLabels, AddServicesLabels bool
	Address, Bucket, Org, PushInterval, Token                 string
	AdditionalLabels                                          map[string]string
}

type flagMetricsOTLP struct {
	AddEntryPointsLabels, AddRoutersLabels, AddServicesLabels bool
	ExplicitBoundaries, PushInterval, ServiceName             string
	GRPC                                                      *flagGRPC `label:"allowEmpty"`
	HTTP                                                      *flagHTTP `label:"allowEmpty"`
	ResourceAttributes                                        map[string]string
}

type flagPrometheus struct {
	AddEntryPointsLabels, AddRoutersLabels, AddServicesLabels, ManualRouting bool
	Buckets, EntryPoint                                                      string
	HeaderLabels                                                             map[string]string
}

type flagTracing struct {
	CapturedRequestHeaders, CapturedResponseHeaders, SafeQueryParams []string
	AddInternals                                                     bool
	SampleRate, ServiceName                                          string
	OTLP                                                             *flagTracingOTLP `label:"allowEmpty"`
	GlobalAttributes, ResourceAttributes                             map[string]string
}

type flagTracingOTLP struct {
	GRPC *flagGRPC `label:"allowEmpty"`
	HTTP *flagHTTP `label:"allowEmpty"`
}

type flagOTLP struct {
	ServiceName        string
	GRPC               *flagGRPC `label:"allowEmpty"`
	HTTP               *flagHTTP `label:"allowEmpty"`
	ResourceAttributes map[string]string
}

type flagGRPC struct {
	Insecure bool
	Endpoint string
	TLS      *flagTLS
	Headers  map[string]string
}

type flagHTTP struct {
	Endpoint string
	TLS      *flagTLS
	Headers  map[string]string
}
