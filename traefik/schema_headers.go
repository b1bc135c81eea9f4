package traefik

type headers struct {
	CustomRequestHeaders              map[string]string
	CustomResponseHeaders             map[string]string
	AccessControlAllowCredentials     bool
	AccessControlAllowHeaders         []string
	AccessControlAllowMethods         []string
	AccessControlAllowOriginList      []string
	AccessControlAllowOriginListRegex []string
	AccessControlExposeHeaders        []string
	AccessControlMaxAge               int64
	AddVaryHeader                     bool
	AllowedHosts                      []string
	HostsProxyHeaders                 []string
	SSLProxyHeaders                   map[string]string
	STSSeconds                        *int64
	STSIncludeSubdomains              bool
	STSPreload                        bool
	ForceSTSHeader                    bool
	FrameDeny                         bool
	CustomFrameOptionsValue           string
	ContentTypeNosniff                bool
	BrowserXSSFilter                  bool
	CustomBrowserXSSValue             string
	ContentSecurityPolicy             string
	ContentSecurityPolicyReportOnly   string
	PublicKey                         string
	ReferrerPolicy                    string
	PermissionsPolicy                 string
	IsDevelopment                     bool
	FeaturePolicy                     *string
	SSLRedirect                       *bool
	SSLTemporaryRedirect              *bool
	SSLHost                           *string
	SSLForceHost                      *bool
}

type passTLSClientCert struct {
	PEM  bool
	Info *clientCertInfo
}

type clientCertInfo struct {
	NotAfter     bool
	NotBefore    bool
	Sans         bool
	SerialNumber bool
	Subject      *clientCertSubject
	Issuer       *clientCertIssuer
}

type clientCertSubject struct {
	Country            bool
	Province           bool
	Locality           bool
	Organization       bool
	OrganizationalUnit bool
	CommonName         bool
	SerialNumber       bool
	DomainComponent    bool
}

type clientCertIssuer struct {
	Country         bool
	Province        bool
	Locality        bool
	Organization    bool
	CommonName      bool
	SerialNumber    bool
	DomainComponent bool
}
