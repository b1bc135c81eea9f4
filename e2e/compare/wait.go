package main

import (
	"context"
	"fmt"
	"time"
)

// eventually asks until there is no error, for two minutes at most.
func eventually(ctx context.Context, what string, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		err := ask(limited)
		if err == nil {
			return nil
		}
		if ended := pause(limited, 100*time.Millisecond); ended != nil {
			return fmt.Errorf("wait until %s: %w (%w)", what, ended, err)
		}
	}
}

// pause ends early with the context.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
