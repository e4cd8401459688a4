package connectors_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
)

func TestSafeCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"invalid_client": "invalid_client", "AADSTS7000222": "AADSTS7000222", "E0000047": "E0000047",
		"": "", "a b": "", "<img>": "", "a\nb": "", "ä": "", strings.Repeat("a", 65): "",
	} {
		if got := connectors.SafeCode(code); got != want {
			t.Errorf("SafeCode(%q) = %q, want %q", code, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795132800, 0).UTC()
	for _, tt := range []struct {
		name   string
		header http.Header
		want   time.Duration
	}{
		{"nothing", http.Header{}, 0},
		{"seconds", http.Header{"Retry-After": {"60"}}, time.Minute},
		{"a date", http.Header{"Retry-After": {now.Add(90 * time.Second).Format(http.TimeFormat)}}, 90 * time.Second},
		{"a date in the past", http.Header{"Retry-After": {now.Add(-time.Hour).Format(http.TimeFormat)}}, 0},
		{"negative", http.Header{"Retry-After": {"-5"}}, 0},
		{"a year is taken for an hour", http.Header{"Retry-After": {"31536000"}}, time.Hour},
		{"more than fits is taken for an hour", http.Header{"Retry-After": {"9223372036854775807"}}, time.Hour},
		{"words", http.Header{"Retry-After": {"soon"}}, 0},
		{"Okta's reset", http.Header{"X-Rate-Limit-Remaining": {"0"}, "X-Rate-Limit-Reset": {"1795132860"}}, time.Minute},
		{"GitHub's reset", http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"1795134600"}}, 30 * time.Minute},
		{"a reset while something remains", http.Header{"X-Ratelimit-Remaining": {"12"}, "X-Ratelimit-Reset": {"1795134600"}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := connectors.RetryAfter(tt.header, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var h connectors.Health
	kinds := map[connectors.Kind]bool{
		connectors.Broken: true, connectors.Declined: true, connectors.NotAllowed: true, connectors.Interaction: true, connectors.Unmet: true,
		connectors.Transient: false, connectors.Operator: false,
	}
	for kind, healthy := range kinds {
		h.Note(nil)
		h.Note(&connectors.Error{Kind: kind})
		if (h.Err() == nil) != healthy {
			t.Errorf("after an error of kind %s the health is %v", kind, h.Err())
		}
	}
	h.Note(nil)
	h.Note(&connectors.Error{Kind: connectors.Transient, Err: context.Canceled})
	if h.Err() != nil {
		t.Error("somebody who closed the browser made the upstream unhealthy")
	}
	down := &connectors.Error{Kind: connectors.Transient}
	h.Note(down)
	h.Note(&connectors.Error{Kind: connectors.Declined})
	if !errors.Is(h.Err(), error(down)) {
		t.Error("somebody who said no made the upstream healthy")
	}
}
