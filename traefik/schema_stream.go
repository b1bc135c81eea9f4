package traefik

type tcpConfig struct {
	Routers           map[string]*tcpRouter
	Services          map[string]*tcpService
	Middlewares       map[string]*tcpMiddleware
	Models            map[string]*tcpModel     `label:"-"`
	ServersTransports map[string]*tcpTransport `label:"-"`
}

type tcpModel struct {
	DefaultRuleSyntax string `label:"-"`
}

type tcpRouter struct {
	EntryPoints []string
	Middlewares []string
	Service     string
	Rule        string
	RuleSyntax  string
	Priority    int
	TLS         *tcpRouterTLS `label:"allowEmpty"`
}

type tcpRouterTLS struct {
	Passthrough  bool
	Options      string
	CertResolver string
	Domains      []domain
}

type tcpService struct {
	LoadBalancer *tcpLoadBalancer
	Weighted     *tcpWeighted `label:"-"`
}

type tcpWeighted struct {
	Services    []tcpWeightedService
	HealthCheck *parentHealthCheck `label:"allowEmpty"`
}

type tcpWeightedService struct {
	Name   string
	Weight *int
}

type tcpLoadBalancer struct {
	Servers          []tcpServer `label-slice-as-struct:"server"`
	ServersTransport string
	ProxyProtocol    *proxyProtocol `label:"allowEmpty"`
	TerminationDelay *int
	HealthCheck      *tcpHealthCheck `label:"allowEmpty"`
}

type tcpServer struct {
	Address string `label:"-"`
	Port    string
	TLS     bool
}

type proxyProtocol struct {
	Version int
}

type tcpHealthCheck struct {
	Port              int
	Send              string
	Expect            string
	Interval          duration
	UnhealthyInterval *duration
	Timeout           duration
}

type tcpTransport struct {
	DialKeepAlive    duration
	DialTimeout      duration
	ProxyProtocol    *proxyProtocol `label:"allowEmpty"`
	TerminationDelay duration
	TLS              *tcpClientTLS `label:"allowEmpty"`
}

type tcpClientTLS struct {
	ServerName         string
	InsecureSkipVerify bool
	RootCAs            []string
	Certificates       []certificate
	PeerCertURI        string
	Spiffe             *spiffe `label:"allowEmpty"`
}

type tcpMiddleware struct {
	InFlightConn *tcpInFlightConn
	IPWhiteList  *tcpIPList
	IPAllowList  *tcpIPList
}

type tcpInFlightConn struct {
	Amount int64
}

type tcpIPList struct {
	SourceRange []string
}

type udpConfig struct {
	Routers  map[string]*udpRouter
	Services map[string]*udpService
}

type udpRouter struct {
	EntryPoints []string
	Service     string
}

type udpService struct {
	LoadBalancer *udpLoadBalancer
	Weighted     *udpWeighted `label:"-"`
}

type udpWeighted struct {
	Services []udpWeightedService
}

type udpWeightedService struct {
	Name   string
	Weight *int
}

type udpLoadBalancer struct {
	Servers []udpServer `label-slice-as-struct:"server"`
}

type udpServer struct {
	Address string `label:"-"`
	Port    string
}
