package gigachat

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// atOnce runs n of them together, and fails when one fails or all take longer than a hang.
func atOnce(t *testing.T, n int, one func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	var bad atomic.Pointer[error]
	for range n {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := one(ctx); err != nil {
				bad.Store(&err)
			}
		}()
	}
	all.Wait()
	if err := bad.Load(); err != nil {
		t.Fatal(*err)
	}
}

// The timeouts are for a slow machine: each counts from the call's begin.
func loaded(t *testing.T) *Client {
	return client(t, func(o *Options) { o.Timeout, o.StreamTimeout, o.IdleTimeout = time.Hour, time.Hour, time.Hour })
}

func TestTenThousandCallsAtOnce(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	c := loaded(t)
	atOnce(t, n, func(ctx context.Context) error {
		_, err := c.Generate(ctx, "repeat: one of many")
		return err
	})
}

func TestAThousandStreamsAtOnce(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	c := loaded(t)
	atOnce(t, n, func(ctx context.Context) error {
		for _, err := range c.StreamText(ctx, "count to 3") {
			if err != nil {
				return err
			}
		}
		return nil
	})
}
