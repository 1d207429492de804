package gistdeal_test

import (
	"reflect"
	"strings"
	"testing"

	"gistdeal"
)

func TestEachTypeOfEventsCanBeChosen(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[gistdeal.Event]().FieldByName("Type")
	var names []string
	for _, name := range gistdeal.EventTypes {
		names = append(names, string(name))
	}
	if got, want := strings.Join(names, ","), field.Tag.Get("enum"); got != want {
		t.Errorf("types to choose from: %s\nwant those of events: %s", got, want)
	}
}
