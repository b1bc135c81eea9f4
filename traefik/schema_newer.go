package traefik

// newerConfig has what tags can say that Traefik v3.6.12 does not know and
// v3.7.9 does (pkg/config/dynamic), and nothing else: keyVersions says from
// which version on.
type newerConfig struct{ HTTP newerHTTP }

type newerHTTP struct {
	Services    map[string]*newerService
	Middlewares map[string]*newerMiddleware
}

type newerService struct{ Middlewares []string }

type newerMiddleware struct {
	EncodedCharacters *deniedCharacters
	Errors            *newerErrors
	ForwardAuth       *newerForwardAuth
	Retry             *newerRetry
}

type newerErrors struct{ ErrorRequestHeaders []string }

type newerForwardAuth struct{ AuthSigninURL string }

type newerRetry struct {
	Timeout                    duration
	MaxRequestBodyBytes        *int64
	Status                     []string
	DisableRetryOnNetworkError bool
	RetryNonIdempotentMethod   bool
}
