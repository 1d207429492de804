package gistdeal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// KeyIdentity is the name of the setting that stores a random text by which a server
// shows that it works on this database. Copies of the database have another one.
const KeyIdentity = "identity"

// HeaderChallenge is the header of a request for /readyz that asks for a proof of the
// database's identity.
const HeaderChallenge = "Gistdeal-Challenge"

// Proof returns the answer to a challenge, which only somebody who can read the database
// can make or check. It tells nothing about the identity.
func Proof(identity, challenge string) string {
	mac := hmac.New(sha256.New, []byte(identity))
	mac.Write([]byte(challenge))
	return hex.EncodeToString(mac.Sum(nil))
}
