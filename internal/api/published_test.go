package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"gistdeal/internal/testing/testenv"
)

var update = flag.Bool("update", false, "write client/openapi.json")

// published is the document from which the clients are generated.
const published = "../../client/openapi.json"

func TestThePublishedDocumentIsTheServedOne(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	testenv.Must(t, json.Indent(&want, []byte(newIdleWorld(t).send("GET", "/openapi.json", "").body), "", "  "))
	want.WriteByte('\n')
	if *update {
		testenv.Must(t, os.WriteFile(published, want.Bytes(), 0o644))
	}
	got, err := os.ReadFile(published)
	testenv.Must(t, err)
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("client/openapi.json is stale: run make clients")
	}
}
