package api

import (
	"encoding/base64"
	"encoding/json"

	"gistdeal"
)

// cursor encodes a place in a list as an opaque text for clients.
func cursor(place any) string {
	text, err := json.Marshal(place)
	if err != nil {
		panic(err) // A programming error: every place can be encoded.
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Page selects a page of a list. It is exported because huma ignores unexported
// embedded types.
type Page struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"The value of next in the previous page; leave it out for the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"The maximum number of rows in the page."`
}

// read decodes the cursor into place. Without a cursor it leaves place unchanged.
func (p Page) read(place any) error {
	if p.Cursor == "" {
		return nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = unmarshal(plain, place)
	}
	if err != nil {
		return gistdeal.Errorf(gistdeal.Invalid, "this cursor is invalid: leave it out to read the first page")
	}
	return nil
}
