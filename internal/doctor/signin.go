package doctor

import (
	"context"

	"gistdeal/internal/signin"
)

// signIn checks the OpenID Connect provider, if one is configured.
func (d *doctor) signIn(ctx context.Context) []Check {
	if d.config.OIDC.Issuer == "" {
		return nil
	}
	if err := signin.New(d.config.SignIn()).Check(ctx); err != nil {
		return []Check{{"sign_in", Fail, lines(err) + ": can this machine reach it, and is GISTDEAL_OIDC_ISSUER right?"}}
	}
	return []Check{{"sign_in", OK, d.config.OIDC.Issuer + " answers; it must know the redirect URI " + d.config.RedirectURL()}}
}
