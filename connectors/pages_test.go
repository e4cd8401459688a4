package connectors

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWalkStaysWhereItBegan(t *testing.T) {
	t.Parallel()
	const first = "https://api.test/v1/groups?limit=2"
	for _, tt := range []struct {
		name, next, leads string
		prefix            string
	}{
		{name: "another page", next: "https://api.test/v1/groups?after=2", leads: "https://api.test/v1/groups?after=2"},
		{name: "a relative link", next: "?after=2", leads: "https://api.test/v1/groups?after=2"},
		{name: "below the path", next: "/v1/groups/more", leads: "https://api.test/v1/groups/more"},
		{name: "the host in another case", next: "https://API.test/v1/groups?after=2", leads: "https://API.test/v1/groups?after=2"},
		{name: "below a wider prefix", next: "/v1/users", prefix: "/v1/", leads: "https://api.test/v1/users"},
		{name: "another host", next: "https://evil.test/v1/groups"},
		{name: "another port", next: "https://api.test:8443/v1/groups?after=2"},
		{name: "without TLS", next: "http://api.test/v1/groups?after=2"},
		{name: "with credentials", next: "https://api.test@evil.test/v1/groups"},
		{name: "with a user", next: "https://user@api.test/v1/groups?after=2"},
		{name: "another path", next: "/v1/secrets"},
		{name: "a path that only begins alike", next: "/v1/groups-of-others"},
		{name: "upwards", next: "/v1/groups/../secrets"},
		{name: "upwards, encoded", next: "/v1/groups/%2e%2e/secrets"},
		{name: "upwards, with an encoded slash", next: "/v1/groups/..%2fsecrets"},
		{name: "upwards, with a backslash", next: `/v1/groups/..\secrets`},
		{name: "not a URL", next: "https://api.test/%zz"},
		{name: "opaque", next: "https:groups"},
		{name: "the same page again", next: first},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var visited []string
			n, err := Walk{First: first, Prefix: tt.prefix}.Each(t.Context(), func(_ context.Context, address string) (string, error) {
				if visited = append(visited, address); len(visited) == 1 {
					return tt.next, nil
				}
				return "", nil
			})
			if tt.leads == "" {
				if kindOf(t, err) != Broken || len(visited) != 1 {
					t.Errorf("visited %q, %v", visited, err)
				}
				return
			}
			if err != nil || n != 2 || !slices.Equal(visited, []string{first, tt.leads}) {
				t.Errorf("visited %q, %d pages, %v", visited, n, err)
			}
		})
	}
}

func TestWalkIsBounded(t *testing.T) {
	t.Parallel()
	page := 0
	n, err := Walk{First: "https://api.test/g", Most: 3}.Each(t.Context(), func(context.Context, string) (string, error) {
		page++
		return "?after=" + strings.Repeat("x", page), nil
	})
	if n != 3 || page != 3 || kindOf(t, err) != Operator || !errors.Is(err, ErrGroupsIncomplete) {
		t.Errorf("%d pages, %v", n, err)
	}
	var until time.Time
	if _, err := (Walk{First: "https://api.test/g"}).Each(t.Context(), func(ctx context.Context, _ string) (string, error) {
		until, _ = ctx.Deadline()
		return "", nil
	}); err != nil || time.Until(until) > walkTimeout || time.Until(until) < walkTimeout/2 {
		t.Errorf("all pages together may take until %v, %v", until, err)
	}
	fault := errors.New("down")
	if _, err := (Walk{First: "https://api.test/g"}).Each(t.Context(), func(context.Context, string) (string, error) { return "/g?2", fault }); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	if _, err := (Walk{First: "groups"}).Each(t.Context(), nil); kindOf(t, err) != Broken {
		t.Errorf("got %v", err)
	}
}

func TestPauseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	if !Pause(t.Context(), time.Millisecond) {
		t.Error("there was time")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if Pause(ctx, time.Hour) {
		t.Error("there was no time")
	}
}

// FuzzWalk: a token goes to the first page's host and path, whatever a page says.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{"?a=1", "//evil.test/v1/g", "/v1/g/..", "https://api.test/v1/g/%2e%2e", `\\evil.test`, "https://api.test:443/v1/g", "https://api.test\t/v1/g"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		pages := 0
		_, _ = Walk{First: "https://api.test/v1/g", Most: 2}.Each(t.Context(), func(_ context.Context, address string) (string, error) {
			u, err := url.Parse(address)
			if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, "api.test") || u.User != nil || u.Path != "/v1/g" && !strings.HasPrefix(u.Path, "/v1/g/") || strings.Contains(u.Path, "/../") {
				t.Errorf("%q leads to %q", next, address)
			}
			if pages++; pages == 1 {
				return next, nil
			}
			return "", nil
		})
	})
}
