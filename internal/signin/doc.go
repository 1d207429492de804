// Package signin signs people in at an OpenID Connect provider, with the authorization
// code flow and PKCE. It returns who signed in, and the scope of their groups. It owns no
// cookies and no sessions.
package signin
