package api

import (
	"encoding/base64"
	"encoding/json"

	"gistdeal"
)

// cursor returns a place in a list in the form in which clients keep it.
func cursor(place any) string {
	text, err := json.Marshal(place)
	if err != nil {
		panic(err) // A programmer's mistake: places are plain.
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Part (exported for huma, which sees no other embedded types) is which part of
// a list a request is for.
type Part struct {
	Cursor string `query:"cursor" maxLength:"200"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// read is the inverse of cursor; without a cursor place stays as it is.
func (p Part) read(place any) error {
	if p.Cursor == "" {
		return nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = unmarshal(plain, place)
	}
	if err != nil {
		return gistdeal.Errorf(gistdeal.Invalid, "this cursor is none of ours: begin without one")
	}
	return nil
}
