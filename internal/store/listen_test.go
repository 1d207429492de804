package store_test

import (
	"context"
	"sync"
	"testing"

	"gistdeal"
	"gistdeal/internal/testing/pgtest"
	"gistdeal/internal/testing/testenv"
)

func TestScanRequestsAndResultsOfOtherProcessesAreNotified(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	database := server.URL(t)
	s, other := open(t, database), open(t, database)
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		s.Listen(ctx, func() {
			select {
			case heard <- struct{}{}:
			case <-ctx.Done():
			}
		})
	})
	<-heard // The store listens.
	asked, err := other.RequestScan(t.Context(), noon, gistdeal.ScanRequest{Login: "octocat"})
	testenv.Must(t, err)
	<-heard
	if _, err := other.Answer(t.Context(), asked[0], gistdeal.RequestResult{}, noon); err != nil {
		t.Fatal(err)
	}
	<-heard
	server.Cut(t)
	<-heard // The store listens again.
	cancel()
	listening.Wait()
}
