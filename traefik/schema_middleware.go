package traefik

type middleware struct {
	AddPrefix         *addPrefix
	StripPrefix       *stripPrefix
	StripPrefixRegex  *stripPrefixRegex
	ReplacePath       *replacePath
	ReplacePathRegex  *replacePathRegex
	Chain             *chain
	IPWhiteList       *ipWhiteList
	IPAllowList       *ipAllowList
	Headers           *headers
	Errors            *errorPage
	RateLimit         *rateLimit
	RedirectRegex     *redirectRegex
	RedirectScheme    *redirectScheme
	BasicAuth         *basicAuth
	DigestAuth        *digestAuth
	ForwardAuth       *forwardAuth
	InFlightReq       *inFlightReq
	Buffering         *buffering
	CircuitBreaker    *circuitBreaker
	Compress          *compress `label:"allowEmpty"`
	PassTLSClientCert *passTLSClientCert
	Retry             *retry
	ContentType       *contentType `label:"allowEmpty"`
	GrpcWeb           *grpcWeb
	Plugin            map[string]map[string]any

	RequestHeaderModifier  *headerModifier  `label:"-"`
	ResponseHeaderModifier *headerModifier  `label:"-"`
	RequestRedirect        *requestRedirect `label:"-"`
	URLRewrite             *urlRewrite      `label:"-"`
}

type addPrefix struct {
	Prefix string
}

type stripPrefix struct {
	Prefixes   []string
	ForceSlash *bool
}

type stripPrefixRegex struct {
	Regex []string
}

type replacePath struct {
	Path string
}

type replacePathRegex struct {
	Regex       string
	Replacement string
}

type chain struct {
	Middlewares []string
}

type ipWhiteList struct {
	SourceRange []string
	IPStrategy  *ipStrategy `label:"allowEmpty"`
}

type ipAllowList struct {
	SourceRange      []string
	IPStrategy       *ipStrategy `label:"allowEmpty"`
	RejectStatusCode int         `label:"allowEmpty"`
}

type ipStrategy struct {
	Depth       int
	ExcludedIPs []string
	IPv6Subnet  *int
}

type sourceCriterion struct {
	IPStrategy        *ipStrategy
	RequestHeaderName string
	RequestHost       bool
}

type errorPage struct {
	Status         []string
	StatusRewrites map[string]int
	Service        string
	Query          string
}

type rateLimit struct {
	Average         int64
	Period          duration
	Burst           int64
	SourceCriterion *sourceCriterion
	Redis           *redis
}

type redis struct {
	Endpoints      []string
	TLS            *clientTLS
	Username       string
	Password       string
	DB             int
	PoolSize       int
	MinIdleConns   int
	MaxActiveConns int
	ReadTimeout    *duration
	WriteTimeout   *duration
	DialTimeout    *duration
}

// clientTLS is Traefik's types.ClientTLS.
type clientTLS struct {
	CA                 string
	Cert               string
	Key                string
	InsecureSkipVerify bool
}

// authTLS is what forwardAuth takes; it has one field more than clientTLS.
type authTLS struct {
	CA                 string
	Cert               string
	Key                string
	InsecureSkipVerify bool
	CAOptional         *bool
}

type redirectRegex struct {
	Regex       string
	Replacement string
	Permanent   bool
}

type redirectScheme struct {
	Scheme                 string
	Port                   string
	Permanent              bool
	ForcePermanentRedirect bool `label:"-"`
}

type basicAuth struct {
	Users        []string
	UsersFile    string
	Realm        string
	RemoveHeader bool
	HeaderField  string
}

type digestAuth struct {
	Users        []string
	UsersFile    string
	RemoveHeader bool
	Realm        string
	HeaderField  string
}

type forwardAuth struct {
	Address                  string
	TLS                      *authTLS
	TrustForwardHeader       bool
	AuthResponseHeaders      []string
	AuthResponseHeadersRegex string
	AuthRequestHeaders       []string
	MaxResponseBodySize      *int64
	AddAuthCookiesToResponse []string
	HeaderField              string
	ForwardBody              bool
	MaxBodySize              *int64
	PreserveLocationHeader   bool
	PreserveRequestMethod    bool
}

type inFlightReq struct {
	Amount          int64
	SourceCriterion *sourceCriterion
}

type buffering struct {
	MaxRequestBodyBytes  int64
	MemRequestBodyBytes  int64
	MaxResponseBodyBytes int64
	MemResponseBodyBytes int64
	RetryExpression      string
}

type circuitBreaker struct {
	Expression       string
	CheckPeriod      duration
	FallbackDuration duration
	RecoveryDuration duration
	ResponseCode     int
}

type compress struct {
	ExcludedContentTypes []string
	IncludedContentTypes []string
	MinResponseBodyBytes int
	Encodings            []string
	DefaultEncoding      string
}

type retry struct {
	Attempts        int
	InitialInterval duration
}

type contentType struct {
	AutoDetect *bool
}

type grpcWeb struct {
	AllowOrigins []string
}

type headerModifier struct {
	Set    map[string]string
	Add    map[string]string
	Remove []string
}

type requestRedirect struct {
	Scheme     *string
	Hostname   *string
	Port       *string
	Path       *string
	PathPrefix *string
	StatusCode int
}

type urlRewrite struct {
	Hostname   *string
	Path       *string
	PathPrefix *string
}
