package sim_test

import (
	"net/http"
	"testing"

	"gistdeal/internal/sim"
)

const dealFields = "/api/v2/dealFields/"

type fieldResponse struct {
	Data struct {
		Code    string `json:"field_code"`
		Name    string `json:"field_name"`
		Type    string `json:"field_type"`
		Options []struct {
			ID    int64  `json:"id"`
			Label string `json:"label"`
		} `json:"options"`
	} `json:"data"`
}

func TestAFieldIsRenamedAndKeepsItsCodeAndValues(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	code := w.AddField("Gist ID", "varchar")
	w.deal(`{"title":"t","custom_fields":{"` + code + `":"abc"}}`)
	renamed := decode[fieldResponse](t, w.do(http.MethodPatch, dealFields+code, `{"field_name":"Snippet"}`)).Data
	if renamed.Code != code || renamed.Name != "Snippet" || renamed.Type != "varchar" {
		t.Errorf("renamed: %+v", renamed)
	}
	want(t, w.get("/api/v2/dealFields"), http.StatusOK, "Snippet")
	want(t, w.get("/api/v2/deals/1"), http.StatusOK, `"`+code+`":"abc"`)
	for _, body := range []string{`{}`, `[]`, `{"field_name":""}`, `{"field_name":5}`, `{"field_type":"text"}`, `{"field_code":"x"}`, `{"ui_visibility":true}`} {
		want(t, w.do(http.MethodPatch, dealFields+code, body), http.StatusBadRequest, "ERR_SCHEMA_VALIDATION_FAILED")
	}
	w.DeleteField(code)
	want(t, w.do(http.MethodPatch, dealFields+code, `{"field_name":"x"}`), http.StatusNotFound)
	want(t, w.do(http.MethodPatch, dealFields+"title", `{"field_name":"x"}`), http.StatusNotFound)
}

func TestOptionsOfAFieldChangeTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := start(t, unlimited())
	create := func(body string) string {
		return decode[fieldResponse](t, w.do(http.MethodPost, "/api/v2/dealFields", body)).Data.Code
	}
	kind := create(`{"field_name":"Kind","field_type":"enum","options":[{"label":"code"}]}`)
	other := create(`{"field_name":"Tags","field_type":"set","options":[{"label":"go"}]}`)
	options := dealFields + kind + "/options"
	labels := func() (all string) {
		for _, o := range decode[fieldResponse](t, w.get(dealFields+kind)).Data.Options {
			all += o.Label + " "
		}
		return all
	}
	want(t, w.do(http.MethodPost, options, `[{"label":"notes"},{"label":"text"}]`), http.StatusOK, `[{"id":3,"label":"notes"},{"id":4,"label":"text"}]`)
	want(t, w.do(http.MethodPatch, options, `[{"id":3,"label":"prose"}]`), http.StatusOK, `[{"id":3,"label":"prose"}]`)
	for body, method := range map[string]string{
		`[{"id":4},{"id":99}]`: http.MethodDelete, `[{"id":4},{"id":4}]`: http.MethodDelete, `[{"id":2}]`: http.MethodDelete, `[]`: http.MethodDelete,
		`[{"label":"x"},{}]`: http.MethodPost, `{"label":"x"}`: http.MethodPost, `[{"label":"x","id":9}]`: http.MethodPost,
		`[{"id":4,"label":"x"},{"id":99,"label":"y"}]`: http.MethodPatch, `[{"id":"4","label":"x"}]`: http.MethodPatch,
	} {
		want(t, w.do(method, options, body), http.StatusBadRequest, "ERR_SCHEMA_VALIDATION_FAILED")
	}
	if got := labels(); got != "code prose text " {
		t.Errorf("options %s, want the refused requests without an effect", got)
	}
	want(t, w.do(http.MethodDelete, options, `[{"id":4}]`), http.StatusOK, `[{"id":4,"label":"text"}]`)
	if got := labels(); got != "code prose " {
		t.Errorf("options %s, want code and prose", got)
	}
	want(t, w.do(http.MethodPost, dealFields+w.AddField("Gist ID", "varchar")+"/options", `[{"label":"x"}]`), http.StatusBadRequest)
	want(t, w.do(http.MethodPost, dealFields+"nonsense/options", `[{"label":"x"}]`), http.StatusNotFound)

	want(t, w.do(http.MethodPost, "/api/v2/deals", `{"title":"t","custom_fields":{"`+kind+`":3,"`+other+`":[2]}}`), http.StatusOK)
	for _, custom := range []string{`"` + kind + `":4`, `"` + kind + `":2`, `"` + other + `":[2,3]`, `"` + other + `":[]`} {
		want(t, w.do(http.MethodPost, "/api/v2/deals", `{"title":"t","custom_fields":{`+custom+`}}`), http.StatusBadRequest, "custom_fields.")
	}
	for _, body := range []string{`{"field_name":"x","field_type":"enum"}`, `{"field_name":"x","field_type":"text","options":[{"label":"a"}]}`} {
		want(t, w.do(http.MethodPost, "/api/v2/dealFields", body), http.StatusBadRequest, "options:")
	}
}

func TestARegularUserCannotEditFields(t *testing.T) {
	t.Parallel()
	w := team(t, sim.Key{})
	code := w.AddField("Gist ID", "varchar")
	for path, method := range map[string]string{code: http.MethodPatch, code + "/options": http.MethodPost} {
		want(t, w.do(method, dealFields+path, `{"field_name":"x"}`, as("regular")...), http.StatusForbidden)
	}
	want(t, w.do(http.MethodPatch, dealFields+code, `{"field_name":"x"}`, as("admin")...), http.StatusOK)
}
