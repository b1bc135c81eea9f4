package main

import (
	"context"
	"fmt"
	"time"
)

// eventually asks until there is no error, for a minute at most.
func eventually(ctx context.Context, what string, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ask(limited)
		if err == nil {
			return nil
		}
		if werr := wait(limited, 100*time.Millisecond); werr != nil {
			return fmt.Errorf("wait until %s: %w (%w)", what, werr, err)
		}
	}
}

// wait is a pause that ends early with the context.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
