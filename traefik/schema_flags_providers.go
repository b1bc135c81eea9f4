package traefik

// flagProviders are the flags of all providers.
type flagProviders struct {
	Precedence                []string
	ProvidersThrottleDuration duration
	Consul                    *flagConsul      `label:"allowEmpty"`
	ConsulCatalog             *catalogSettings `label:"allowEmpty"`
	Docker                    *flagDocker      `label:"allowEmpty"`
	Etcd                      *flagEtcd        `label:"allowEmpty"`
	Ecs                       *flagEcs         `label:"allowEmpty"`
	File                      *flagFile
	Knative                   *flagKnative                `label:"allowEmpty"`
	KubernetesCRD             *flagKubernetesCRD          `label:"allowEmpty"`
	KubernetesGateway         *flagKubernetesGateway      `label:"allowEmpty"`
	KubernetesIngress         *flagKubernetesIngress      `label:"allowEmpty"`
	KubernetesIngressNGINX    *flagKubernetesIngressNGINX `label:"allowEmpty"`
	Nomad                     *flagNomad                  `label:"allowEmpty"`
	HTTP                      *flagProvidersHTTP          `label:"allowEmpty"`
	Redis                     *flagRedis                  `label:"allowEmpty"`
	Rest                      *flagRest                   `label:"allowEmpty"`
	Swarm                     *flagSwarm                  `label:"allowEmpty"`
	ZooKeeper                 *flagZooKeeper              `label:"allowEmpty"`
	Plugin                    map[string]map[string]any
}

type flagConsul struct {
	Endpoints, Namespaces []string
	RootKey, Token        string
	TLS                   *flagTLS
}

type flagDocker struct {
	AllowEmptyServices, ExposedByDefault, UseBindPortIP, Watch                         bool
	Constraints, DefaultRule, Endpoint, HTTPClientTimeout, Network, Password, Username string
	TLS                                                                                *flagTLS
}

type flagEcs struct {
	Clusters                                                                       []string
	AutoDiscoverClusters, ECSAnywhere, ExposedByDefault, HealthyTasksOnly          bool
	AccessKeyID, Constraints, DefaultRule, RefreshSeconds, Region, SecretAccessKey string
}

type flagEtcd struct {
	Endpoints                   []string
	Password, RootKey, Username string
	TLS                         *flagTLS
}

type flagFile struct {
	DebugLogGeneratedTemplate, Watch bool
	Directory, Filename              string
}

type flagProvidersHTTP struct {
	Endpoint, MaxResponseBodySize, PollInterval, PollTimeout string
	TLS                                                      *flagTLS
	Headers                                                  map[string]string
}

type flagPrivateService struct {
	Name, Namespace string
}

type flagKnative struct {
	Namespaces, PrivateEntrypoints, PublicEntrypoints                  []string
	CertAuthFilePath, Endpoint, LabelSelector, ThrottleDuration, Token string
	PrivateService, PublicService                                      flagPrivateService `label:"allowEmpty"`
}

type flagKubernetesCRD struct {
	Namespaces                                                                                                          []string
	AllowCrossNamespace, AllowEmptyServices, AllowExternalNameServices, DisableClusterScopeResources, NativeLBByDefault bool
	CertAuthFilePath, Endpoint, IngressClass, LabelSelector, ThrottleDuration, Token                                    string
}

type flagStatusAddress struct {
	Hostname, IP string
	Service      flagPrivateService `label:"allowEmpty"`
}

type flagKubernetesGateway struct {
	Namespaces                                                                     []string
	ExperimentalChannel, NativeLBByDefault                                         bool
	Burst, CertAuthFilePath, Endpoint, LabelSelector, QPS, ThrottleDuration, Token string
	StatusAddress                                                                  *flagStatusAddress
}

type flagIngressEndpoint struct {
	Hostname, IP, PublishedService string
}

type flagKubernetesIngress struct {
	Namespaces                                                                                                                                      []string
	AllowEmptyServices, AllowExternalNameServices, DisableClusterScopeResources, DisableIngressClassLookup, NativeLBByDefault, StrictPrefixMatching bool
	CertAuthFilePath, Endpoint, IngressClass, LabelSelector, ThrottleDuration, Token                                                                string
	IngressEndpoint                                                                                                                                 *flagIngressEndpoint
}

type flagIPAllowListStrategy struct {
	Depth, IPv6Subnet string
}

type flagKubernetesIngressNGINX struct {
	PublishStatusAddress                                                                                                  []string
	AllowCrossNamespaceResources, AllowSnippetAnnotations, DisableSvcExternalName, IngressClassByName, ProxyBuffering     bool
	ProxyRequestBuffering, StrictValidatePathType, WatchIngressWithoutClass                                               bool
	CertAuthFilePath, ClientBodyBufferSize, ControllerClass, DefaultBackendService, Endpoint, IngressClass, ProxyBodySize string
	ProxyBufferSize, ProxyBuffersNumber, ProxyConnectTimeout, ProxyNextUpstream, ProxyNextUpstreamTimeout                 string
	ProxyNextUpstreamTries, ProxyReadTimeout, ProxySendTimeout, PublishService, ThrottleDuration, Token                   string
	UpstreamKeepaliveTimeout, WatchNamespace, WatchNamespaceSelector                                                      string
	IPAllowListStrategy                                                                                                   *flagIPAllowListStrategy
}

type flagNomadEndpoint struct {
	Address, EndpointWaitTime, Region, Token string
	TLS                                      *flagTLS
}

type flagNomad struct {
	Namespaces                                                          []string
	AllowEmptyServices, ExposedByDefault, Stale, Watch                  bool
	Constraints, DefaultRule, Prefix, RefreshInterval, ThrottleDuration string
	Endpoint                                                            *flagNomadEndpoint
}

type flagSentinel struct {
	LatencyStrategy, RandomStrategy, ReplicaStrategy, UseDisconnectedReplicas bool
	MasterName, Password, Username                                            string
}

type flagRedis struct {
	Endpoints                       []string
	DB, Password, RootKey, Username string
	Sentinel                        *flagSentinel
	TLS                             *flagTLS
}

type flagRest struct {
	Insecure bool
}

type flagSwarm struct {
	AllowEmptyServices, ExposedByDefault, UseBindPortIP, Watch                                         bool
	Constraints, DefaultRule, Endpoint, HTTPClientTimeout, Network, Password, RefreshSeconds, Username string
	TLS                                                                                                *flagTLS
}

type flagZooKeeper struct {
	Endpoints                   []string
	Password, RootKey, Username string
}
