package pipedrive

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"gistdeal"
)

// answer is an answer from Pipedrive.
type answer struct {
	method string // of the request
	status int
	header http.Header
	body   []byte
	cost   int           // of the request, in tokens
	wait   time.Duration // that a limit requires before the next request; 0 without a limit
}

// read reads the answer's body, up to maxAnswer bytes. With an error it returns the part
// that it read.
func read(resp *http.Response) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("more than %d bytes", maxAnswer)
	}
	return answer{method: resp.Request.Method, status: resp.StatusCode, header: resp.Header, body: body, cost: cost(resp.Request)}, err
}

// isJSON reports whether the answer's content type is JSON.
func (a answer) isJSON() bool {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// envelope is the outer object of every answer.
type envelope struct {
	Success    bool            `json:"success"`
	Data       json.RawMessage `json:"data"`
	Additional *struct {
		NextCursor *string `json:"next_cursor"`
	} `json:"additional_data"`
}

// decode decodes the data of a 2xx answer into data, and returns the cursor of the next
// page, or "". An unreadable answer is a Temporary error.
func (a answer) decode(data any) (next string, err error) {
	var e envelope
	if !a.isJSON() {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered %d with %q instead of JSON", a.status, a.header.Get("Content-Type"))
	}
	if err := json.Unmarshal(a.body, &e); err != nil {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's answer cannot be read: %w", err)
	}
	if !e.Success {
		return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive answered %d without success%s", a.status, a.detail())
	}
	if len(e.Data) > 0 && string(e.Data) != "null" {
		if err := json.Unmarshal(e.Data, data); err != nil {
			return "", gistdeal.Errorf(gistdeal.Temporary, "Pipedrive's data cannot be read: %w", err)
		}
	}
	if e.Additional != nil && e.Additional.NextCursor != nil {
		next = *e.Additional.NextCursor
	}
	return next, nil
}
