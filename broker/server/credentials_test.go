package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// holder is a connector that holds credentials.
type holder []connectors.Expiration

func (holder) Describe() connectors.Description { return connectors.Description{} }
func (holder) AuthorizationURL(context.Context, connectors.Login) (string, error) {
	return "", errors.New("not asked here")
}
func (holder) Identify(context.Context, url.Values, connectors.Login) (broker.Identity, connectors.Upstream, error) {
	return broker.Identity{}, connectors.Upstream{}, errors.New("not asked here")
}
func (holder) Check(context.Context) error            { return nil }
func (h holder) Expirations() []connectors.Expiration { return h }

// silent is a connector that holds nothing.
type silent struct{ connectors.Connector }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func TestDaysLeftOfACredential(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		left    time.Duration
		due     bool
		days    int
		expired bool
	}{
		{"more than thirty days are nobody's business", 30*day + time.Second, false, 0, false},
		{"thirty days to the second are spoken of", 30 * day, true, 30, false},
		{"a day that has begun does not count", 2*day - time.Second, true, 1, false},
		{"the last day has none left", time.Second, true, 0, false},
		{"at its end it has expired", 0, true, 0, true},
		{"afterwards the days count on", -time.Second, true, -1, true},
		{"a year later it is still spoken of", -365 * day, true, -365, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rt := &runtime{connectors: map[string]connectors.Connector{
				"entra": holder{{What: "client_secret", At: noon.Add(row.left)}}, "github": silent{}, "okta": holder{{What: "client_secret"}},
			}}
			got := expiringSoon(rt.credentials(), noon)
			var want []expiring
			if row.due {
				want = []expiring{{"entra", "client_secret", noon.Add(row.left), row.days, row.expired}}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestCredentialsAreListedSoonestFirst(t *testing.T) {
	t.Parallel()
	rt := &runtime{connectors: map[string]connectors.Connector{
		"b": holder{{What: "client_secret", At: noon.Add(day)}, {What: "client_certificate", At: noon.Add(-day)}}, "a": holder{{What: "client_secret", At: noon.Add(day)}},
	}}
	var got []string
	for _, c := range rt.credentials() {
		got = append(got, c.connector+" "+c.what)
	}
	if want := []string{"b client_certificate", "a client_secret", "b client_secret"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The log is told once at the start, once a day, and when the configuration has
// changed.
func TestTheLogIsRemindedOnceADay(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &reminder{log: slog.New(slog.NewTextHandler(&log, nil))}
	rt := &runtime{connectors: map[string]connectors.Connector{"entra": holder{{What: "client_secret", At: noon.Add(31 * day)}}}}
	replaced := &runtime{connectors: map[string]connectors.Connector{"entra": holder{{What: "client_certificate", At: noon.Add(40 * day)}}}}
	for _, step := range []struct {
		name  string
		after time.Duration
		rt    *runtime
		want  []string
	}{
		{"more than thirty days ahead there is nothing to say", 0, rt, nil},
		{"and nothing is looked at again within a day", 23 * time.Hour, rt, nil},
		{"thirty days ahead it warns", day, rt, []string{"level=WARN", "connector=entra", "credential=client_secret", "expires=2026-12-21T12:00:00Z", "days_left=30"}},
		{"once a day", day + 5*time.Second, rt, nil},
		{"and the day after", 2 * day, rt, []string{"level=WARN", "days_left=29"}},
		{"a clock that was set back does not silence it", 36 * time.Hour, rt, []string{"level=WARN", "days_left=29"}},
		{"an expired one is an error", 31 * day, rt, []string{"level=ERROR", "has expired", "days_left=0"}},
		{"another configuration is looked at at once", 31*day + 5*time.Second, replaced, []string{"level=WARN", "credential=client_certificate", "days_left=8"}},
	} {
		log.Reset()
		r.remind(t.Context(), step.rt, noon.Add(step.after))
		if step.want == nil && log.Len() > 0 || strings.Count(log.String(), "\n") > 1 {
			t.Errorf("%s: logged %s", step.name, &log)
		}
		for _, part := range step.want {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%s: %q is not in %q", step.name, part, &log)
			}
		}
	}
}
