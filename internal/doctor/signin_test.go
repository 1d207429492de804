package doctor_test

import (
	"maps"
	"testing"

	"gistdeal/internal/doctor"
	"gistdeal/internal/testing/issuer"
)

func TestTheDoctorChecksTheProviderOfTheSignIn(t *testing.T) {
	t.Parallel()
	i := issuer.Start(t)
	w := newWorld(t)
	maps.Copy(w.env, map[string]string{
		"GISTDEAL_PUBLIC_URL": "https://deals.example", "GISTDEAL_OIDC_ISSUER": i.URL, "GISTDEAL_OIDC_CLIENT_ID": "gistdeal", "GISTDEAL_OIDC_READ": "sales",
	})
	want(t, w.examine(t), "sign_in", doctor.OK, "redirect URI https://deals.example/login/oidc/callback")
	w.env["GISTDEAL_OIDC_ISSUER"] = i.URL + "/"
	want(t, w.examine(t), "sign_in", doctor.Fail, `names itself "`+i.URL+`"`)
	w.env["GISTDEAL_OIDC_ISSUER"] = i.URL
	i.Change(func(i *issuer.Issuer) { i.Down = true })
	want(t, w.examine(t), "sign_in", doctor.Fail, "502 Bad Gateway")
}
