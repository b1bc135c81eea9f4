package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// The headers of a request, as Standard Webhooks (standardwebhooks.com) has
// them, so that receivers can verify it with a library.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

const secretPrefix = "whsec_"

// signingKey is nil without a secret.
func signingKey(secret string) ([]byte, error) {
	encoded, is := strings.CutPrefix(secret, secretPrefix)
	if !is {
		if secret == "" {
			return nil, nil
		}
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, errors.New("the secret begins with " + secretPrefix + " and is not base64 after that")
	}
	return key, nil
}

// sign returns the signature of a request: HMAC-SHA256 over ID, time and body
// with dots between them.
func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
