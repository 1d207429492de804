package store_test

import (
	"slices"
	"testing"
	"time"

	"gistdeal"
	"gistdeal/internal/store"
	"gistdeal/internal/testing/testenv"
)

func TestOldAndExcessDeliveriesAreDeletedAndThoseThatWaitStay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *store.Store) {
		hook := gistdeal.Webhook{ID: "x", Name: "n8n", Kind: gistdeal.WebhookSigned, State: gistdeal.WebhookEnabled, CreatedAt: noon}
		testenv.Must(t, s.AddWebhook(t.Context(), hook, gistdeal.WebhookKeys{URL: "https://hooks.example"}))
		add := func(id int64, state gistdeal.DeliveryState, at time.Time) {
			t.Helper()
			testenv.Must(t, s.RecordDelivery(t.Context(), hook, gistdeal.Delivery{ID: id, Type: gistdeal.EventDealCreated, State: state, CreatedAt: at, TriedAt: at}))
		}
		add(1, gistdeal.DeliveryPending, noon.Add(-20*24*time.Hour))
		add(2, gistdeal.DeliveryDelivered, noon.Add(-20*24*time.Hour))
		for id := int64(3); id <= 8; id++ {
			add(id, gistdeal.DeliveryDelivered, noon)
		}
		kept := func() (ids []int64) {
			t.Helper()
			all, err := s.Deliveries(t.Context(), "x", nil, 0, 100)
			testenv.Must(t, err)
			for _, d := range all {
				ids = append(ids, d.ID)
			}
			return ids
		}
		testenv.Must(t, s.DeleteDeliveries(t.Context(), noon))
		if got := kept(); !slices.Equal(got, []int64{8, 7, 6, 5, 4, 3, 1}) {
			t.Errorf("%v are kept, want all but the old one", got)
		}
		testenv.Must(t, s.DeleteBeyond(t.Context(), "x", 4))
		if got := kept(); !slices.Equal(got, []int64{8, 7, 6, 5, 1}) {
			t.Errorf("%v are kept, want the last four and the one that waits", got)
		}
	})
}
