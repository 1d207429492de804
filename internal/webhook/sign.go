package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gistdeal"
)

// The specification's bounds of a secret.
const minSecret, maxSecret = 24, 64

// sign sets the headers of the specification, with a signature for each secret: during a
// rotation a receiver may know the old or the new one.
func sign(h http.Header, secrets []string, id string, at time.Time, body []byte) error {
	seconds := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		key, err := keyOf(secret)
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + seconds + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", seconds)
	h.Set("Webhook-Signature", strings.Join(signatures, " "))
	return nil
}

// keyOf returns the key of a secret. Its error does not show the secret.
func keyOf(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, gistdeal.WebhookSecretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, gistdeal.Errorf(gistdeal.Invalid, "the secret of the webhook is not %s with %d to %d bytes in base64 behind it: rotate it", gistdeal.WebhookSecretPrefix, minSecret, maxSecret)
	}
	return key, nil
}
