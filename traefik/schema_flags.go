package traefik

// flagRoot has a field for every flag of Traefik v3.0 to v3.7, for its parser
// takes a flag to be without a value by the type of its field, and refuses to
// start on a flag that has none. The names are those of the reference of flags
// of each of these versions; what is outside of the Consul catalog provider is
// text here, whatever Traefik makes of it.
type flagRoot struct {
	ConfigFile            string
	API                   *flagAPI       `label:"allowEmpty"`
	AccessLog             *flagAccessLog `label:"allowEmpty"`
	Core                  *flagCore
	Experimental          *flagExperimental
	Global                *flagGlobal
	HostResolver          *flagHostResolver `label:"allowEmpty"`
	Log                   *flagLog          `label:"allowEmpty"`
	Metrics               *flagMetrics
	OCSP                  *flagOCSP `label:"allowEmpty"`
	Ping                  *flagPing `label:"allowEmpty"`
	Providers             *flagProviders
	ServersTransport      *flagServersTransport
	Spiffe                *flagWorkloadAPI
	TCPServersTransport   *flagTCPServersTransport
	Tracing               *flagTracing `label:"allowEmpty"`
	CertificatesResolvers map[string]flagCertificatesResolver
	EntryPoints           map[string]*flagEntryPoint
}

type flagTLS struct {
	InsecureSkipVerify bool
	CA, Cert, Key      string
}

type flagAPI struct {
	Dashboard, Debug, DisableDashboardAd, Insecure bool
	BasePath                                       string
}

type flagPropagation struct {
	DisableANSChecks, DisableChecks, RequireAllRNS bool
	DelayBeforeChecks                              string
}

type flagDNSChallenge struct {
	Resolvers                  []string
	DisablePropagationCheck    bool
	DelayBeforeCheck, Provider string
	Propagation                *flagPropagation `label:"allowEmpty"`
}

type flagEAB struct {
	HmacEncoded, Kid string
}

type flagHTTPChallenge struct {
	Delay, EntryPoint string
}

type flagTLSChallenge struct {
	Delay string
}

type flagACME struct {
	CACertificates, EmailAddresses                                                                                      []string
	CASystemCertPool, DisableCommonName                                                                                 bool
	CAServer, CAServerName, CertificateTimeout, CertificatesDuration, ClientResponseHeaderTimeout, ClientTimeout, Email string
	KeyType, PreferredChain, Profile, Storage                                                                           string
	DNSChallenge                                                                                                        *flagDNSChallenge `label:"allowEmpty"`
	EAB                                                                                                                 *flagEAB
	HTTPChallenge                                                                                                       *flagHTTPChallenge `label:"allowEmpty"`
	TLSChallenge                                                                                                        *flagTLSChallenge  `label:"allowEmpty"`
}

type flagCertificatesResolver struct {
	Tailscale bool
	ACME      *flagACME
}

type flagCore struct {
	DefaultRuleSyntax string
}

type flagForwardedHeaders struct {
	Connection, TrustedIPs           []string
	Insecure, NotAppendXForwardedFor bool
}

type flagEncodedCharacters struct {
	AllowEncodedBackSlash, AllowEncodedHash, AllowEncodedNullCharacter, AllowEncodedPercent, AllowEncodedQuestionMark bool
	AllowEncodedSemicolon, AllowEncodedSlash                                                                          bool
}

type flagRedirectTo struct {
	Permanent            bool
	Priority, Scheme, To string
}

type flagRedirections struct {
	EntryPoint *flagRedirectTo
}

type flagDomains struct {
	Main string
	Sans []string
}

type flagHTTPTLS struct {
	CertResolver, Options string
	Domains               []flagDomains
}

type flagEntryPointHTTP struct {
	EncodeQuerySemicolons, SanitizePath       bool
	MaxHeaderBytes, UnderscoreHeadersStrategy string
	Middlewares                               []string
	EncodedCharacters                         *flagEncodedCharacters
	TLS                                       *flagHTTPTLS `label:"allowEmpty"`
	Redirections                              *flagRedirections
}

type flagHTTP2 struct {
	MaxConcurrentStreams, MaxDecoderHeaderTableSize, MaxEncoderHeaderTableSize string
}

type flagHTTP3 struct {
	AdvertisedPort string
}

type flagObservability struct {
	AccessLogs, Metrics, Tracing bool
	TraceVerbosity               string
}

type flagProxyProtocol struct {
	TrustedIPs []string
	Insecure   bool
}

type flagLifeCycle struct {
	GraceTimeOut, RequestAcceptGraceTimeout string
}

type flagRespondingTimeouts struct {
	IdleTimeout, ReadTimeout, WriteTimeout string
}

type flagTransport struct {
	KeepAliveMaxRequests, KeepAliveMaxTime string
	LifeCycle                              *flagLifeCycle
	RespondingTimeouts                     *flagRespondingTimeouts
}

type flagUDP struct {
	Timeout string
}

type flagEntryPoint struct {
	AllowACMEByPass, AsDefault, ReusePort bool
	Address                               string
	HTTP                                  *flagEntryPointHTTP `label:"allowEmpty"`
	ForwardedHeaders                      *flagForwardedHeaders
	HTTP2                                 *flagHTTP2
	HTTP3                                 *flagHTTP3 `label:"allowEmpty"`
	Observability                         *flagObservability
	ProxyProtocol                         *flagProxyProtocol `label:"allowEmpty"`
	Transport                             *flagTransport
	UDP                                   *flagUDP
}

type flagFastProxy struct {
	Debug bool
}

type flagSettings struct {
	Envs, Mounts []string
	UseUnsafe    bool
}

type flagLocalPlugins struct {
	ModuleName string
	Settings   *flagSettings `label:"allowEmpty"`
}

type flagPlugins struct {
	Hash, ModuleName, Version string
	Settings                  *flagSettings `label:"allowEmpty"`
}

type flagExperimental struct {
	AbortOnPluginFailure, Knative, KubernetesGateway, KubernetesIngressNGINX, OTLPLogs bool
	FastProxy                                                                          *flagFastProxy `label:"allowEmpty"`
	LocalPlugins                                                                       map[string]flagLocalPlugins
	Plugins                                                                            map[string]flagPlugins
}

type flagGlobal struct {
	CheckNewVersion, NotAppendXForwardedFor, SendAnonymousUsage bool
}

type flagHostResolver struct {
	CnameFlattening           bool
	ResolvConfig, ResolvDepth string
}

type flagOCSP struct {
	ResponderOverrides map[string]string
}

type flagPing struct {
	ManualRouting                     bool
	EntryPoint, TerminatingStatusCode string
}

type flagForwardingTimeouts struct {
	DialTimeout, IdleConnTimeout, ResponseHeaderTimeout string
}

type flagSpiffe struct {
	IDs         []string
	TrustDomain string
}

type flagServersTransport struct {
	InsecureSkipVerify  bool
	MaxIdleConnsPerHost string
	RootCAs             []string
	ForwardingTimeouts  *flagForwardingTimeouts
	Spiffe              *flagSpiffe `label:"allowEmpty"`
}

type flagWorkloadAPI struct {
	WorkloadAPIAddr string
}

type flagTCPServersTransportTLS struct {
	InsecureSkipVerify bool
	RootCAs            []string
	Spiffe             *flagSpiffe `label:"allowEmpty"`
}

type flagTCPServersTransport struct {
	DialKeepAlive, DialTimeout, TerminationDelay string
	TLS                                          *flagTCPServersTransportTLS `label:"allowEmpty"`
}
