package gistdeal

import "time"

// Person is somebody who signed in at an OpenID Connect provider.
type Person struct {
	Issuer  string // the provider
	Subject string // the provider's key of the person, which never changes
	Name    string // of the person as a visitor and in the log; it has a character that no token's name has
	Scope   Scope  // of the groups at the sign-in; "" if no group of the person may use gistdeal
}

// Session is a log-in of a browser: by a token, or of a person.
type Session struct {
	TokenHash string // "" for a person
	Person    Person
	ExpiresAt time.Time
}

// KnownPerson is a person who signed in before.
type KnownPerson struct {
	Name       string    `json:"name"`
	Issuer     string    `json:"issuer" doc:"The OpenID Connect provider."`
	Subject    string    `json:"subject" doc:"The provider's key of the person."`
	Scope      Scope     `json:"scope,omitempty" enum:"feed,read,write,admin" doc:"The scope of the open log-ins; left out if none is open."`
	LogIns     int       `json:"log_ins" doc:"The number of open log-ins."`
	SignedInAt time.Time `json:"signed_in_at" doc:"The last sign-in."`
}
