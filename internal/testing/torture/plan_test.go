package torture

import (
	"reflect"
	"testing"
)

func TestTheSameSeedGivesTheSamePlan(t *testing.T) {
	t.Parallel()
	a, b, other := draw(options(7), 3), draw(options(7), 3), draw(options(8), 3)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("one seed gave two plans:\n%+v\n%+v", a, b)
	}
	if reflect.DeepEqual(a.rounds, other.rounds) {
		t.Error("two seeds gave the same plan")
	}
}

func options(seed uint64) Options {
	o := Options{Seed: seed}
	o.fill()
	return o
}

func TestEachProcessIsKilledOnce(t *testing.T) {
	t.Parallel()
	for number := range 100 {
		for _, r := range draw(options(1), number).rounds {
			for _, l := range r.lives[0] {
				for i, p := range l.points {
					if last := i == len(l.points)-1; p.freeze == last {
						t.Fatalf("point %d of %+v", i, l.points)
					}
				}
			}
		}
	}
}
