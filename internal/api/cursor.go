package api

import (
	"encoding/base64"
	"encoding/json"
	"reflect"

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

// readCursor is the inverse of cursor.
func readCursor(text string, place any) error {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(plain, place)
	}
	if err != nil {
		return gistdeal.Errorf(gistdeal.Invalid, "this cursor is none of ours: begin without one")
	}
	return nil
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
