package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/oidc"
)

// vendorAPI is a bench whose connector asks a vendor's API for the groups.
func vendorAPI(t *testing.T, h http.HandlerFunc, ask func(ctx context.Context, address string, api oidc.API) ([]string, error)) *connectortest.Bench {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s := subject()
	s.Config = func(c connectors.Common, base string) connectors.Config {
		return &quirky{Config: oidc.Config{Common: c, Issuer: base}, quirks: oidc.Quirks{
			Type: "q",
			Groups: func(ctx context.Context, _ *oidc.Claims, api oidc.API) ([]string, error) {
				return ask(ctx, server.URL, api)
			},
		}}
	}
	return s.Open(t, nil)
}

func TestAPISpeaksForThePerson(t *testing.T) {
	t.Parallel()
	var seen []string
	b := vendorAPI(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer || token == "" {
			t.Error("no access token came along")
		}
		if token != "service" {
			token = "person"
		}
		seen = append(seen, strings.Join([]string{r.Method, r.URL.Path, token, r.Header.Get("Consistencylevel"), r.Header.Get("Content-Type"), string(body)}, " "))
	}, func(ctx context.Context, at string, api oidc.API) ([]string, error) {
		// Whoever passes a header on cannot take the token's place with it.
		if _, err := api.Get(ctx, at+"/me", http.Header{"ConsistencyLevel": {"eventual"}, "Authorization": {"Bearer service"}}); err != nil {
			return nil, err
		}
		if _, err := api.Post(ctx, at+"/query", []byte("{}")); err != nil {
			return nil, err
		}
		if _, err := api.WithToken("service").Get(ctx, at+"/members", nil); err != nil {
			return nil, err
		}
		api.Found("the API of the test")
		api.Note("A note.")
		return []string{"a"}, nil
	})
	_, up, err := b.SignIn(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"GET /me person eventual  ", "POST /query person  application/json {}", "GET /members service   "}
	if !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
	if r := up.Report; r.GroupSource != "the API of the test" || !slices.Equal(r.Notes, []string{"A note."}) {
		t.Errorf("got report %+v", r)
	}
	bad := vendorAPI(t, nil, func(ctx context.Context, _ string, api oidc.API) ([]string, error) {
		_, err := api.Get(ctx, "://", nil)
		return nil, err
	})
	bad.Refused(t, connectors.Broken)
}

func TestAPIIsPatientForAMoment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, after string
		limited     int32
		calls       int32
		fine        bool
		wish        time.Duration
	}{
		{"a moment", "1", 1, 2, true, 0},
		{"a moment, twice over", "1", 2, 2, false, time.Second},
		{"too long", "3", 1, 1, false, 3 * time.Second},
		{"without a word", "", 1, 1, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			b := vendorAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) <= tt.limited {
					w.Header().Set("Retry-After", tt.after)
					w.WriteHeader(http.StatusTooManyRequests)
				}
			}, func(ctx context.Context, at string, api oidc.API) ([]string, error) {
				_, err := api.Post(ctx, at, []byte("{}"))
				return nil, err
			})
			_, _, err := b.SignIn(t)
			if (err == nil) != tt.fine || calls.Load() != tt.calls {
				t.Errorf("%d requests, %v", calls.Load(), err)
			}
			if !tt.fine {
				if e := connectortest.KindOf(t, err, connectors.Transient); e.RetryAfter != tt.wish {
					t.Errorf("it wants to be left alone for %v", e.RetryAfter)
				}
			}
		})
	}
}

func TestAPIReadsListsToTheirEnd(t *testing.T) {
	t.Parallel()
	pages := func(next func(base string, page int) string, most int) (*connectortest.Bench, *atomic.Int32) {
		var calls atomic.Int32
		b := vendorAPI(t, func(w http.ResponseWriter, r *http.Request) {
			n := calls.Add(1)
			fmt.Fprintf(w, "%d %s", n, next("http://"+r.Host, int(n)))
		}, func(ctx context.Context, at string, api oidc.API) ([]string, error) {
			var names []string
			n, err := api.Pages(ctx, oidc.Paging{Address: at + "/groups", Most: most, Read: func(page connectors.Answer) (string, error) {
				name, next, _ := strings.Cut(string(page.Body), " ")
				names = append(names, name)
				return next, nil
			}})
			api.Found(fmt.Sprintf("%d pages", n))
			return names, err
		})
		return b, &calls
	}
	b, _ := pages(func(base string, page int) string {
		if page == 3 {
			return ""
		}
		return fmt.Sprintf("%s/groups?page=%d", base, page+1)
	}, 0)
	id, up, err := b.SignIn(t)
	if err != nil || !slices.Equal(id.Profile.Groups, []string{"up:1", "up:2", "up:3"}) || up.Report.GroupSource != "3 pages" {
		t.Errorf("got %q from %q, %v", id.Profile.Groups, up.Report.GroupSource, err)
	}
	b, calls := pages(func(base string, page int) string { return fmt.Sprintf("%s/groups?page=%d", base, page+1) }, 4)
	_, _, err = b.SignIn(t)
	if connectortest.KindOf(t, err, connectors.Operator); !errors.Is(err, connectors.ErrGroupsIncomplete) || calls.Load() != 4 {
		t.Errorf("an endless list: %d pages, %v", calls.Load(), err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("UP-22 the token went elsewhere") }))
	t.Cleanup(elsewhere.Close)
	b, calls = pages(func(string, int) string { return elsewhere.URL + "/groups" }, 0)
	if b.Refused(t, connectors.Broken); calls.Load() != 1 {
		t.Errorf("%d pages", calls.Load())
	}
}
