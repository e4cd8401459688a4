package connectors

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
)

func TestGroupsThatCannotBeReadEndAsConfigured(t *testing.T) {
	t.Parallel()
	unavailable := &Error{Kind: Transient, Hint: "down"}
	denied := &Error{Kind: Operator, Hint: "no consent"}
	incomplete := &Error{Kind: Operator, Err: ErrGroupsIncomplete}
	for _, tt := range []struct {
		name    string
		policy  GroupFailures
		err     error
		refused bool
		keep    bool
	}{
		{"refused where nothing is said", GroupFailures{}, unavailable, true, false},
		{"unavailable, kept", GroupFailures{Unavailable: KeepLast}, unavailable, false, true},
		{"unavailable, none", GroupFailures{Unavailable: NoGroups}, unavailable, false, false},
		{"denied is not unavailable", GroupFailures{Unavailable: KeepLast}, denied, true, false},
		{"denied, kept", GroupFailures{Denied: KeepLast}, denied, false, true},
		{"incomplete is not denied", GroupFailures{Denied: NoGroups}, incomplete, true, false},
		{"incomplete, none", GroupFailures{Incomplete: NoGroups}, fmt.Errorf("groups: %w", incomplete), false, false},
		{"a defect is always refused", GroupFailures{NoGroups, NoGroups, NoGroups}, &Error{Kind: Broken}, true, false},
		{"who is not admitted is always refused", GroupFailures{KeepLast, KeepLast, KeepLast}, &Error{Kind: NotAllowed}, true, false},
		{"what is no error of ours is always refused", GroupFailures{KeepLast, KeepLast, KeepLast}, errors.New("?"), true, false},
		{"refused in so many words", GroupFailures{RefuseSignIn, RefuseSignIn, RefuseSignIn}, incomplete, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			c := Common{ID: "up", OnGroupFailure: tt.policy}
			id := broker.Identity{Profile: broker.Profile{Groups: []string{"stale"}}}
			err := c.SettleGroups(&id, []string{"half"}, tt.err, slog.New(slog.NewTextHandler(&log, nil)))
			if (err != nil) != tt.refused || tt.refused && !errors.Is(err, tt.err) || id.KeepGroups != tt.keep || id.Profile.Groups != nil {
				t.Errorf("got %v, %+v", err, id)
			}
			if tt.refused == strings.Contains(log.String(), "groups could not be read") {
				t.Errorf("logged %q", log.String())
			}
		})
	}
	c, id := Common{ID: "up"}, broker.Identity{}
	if err := c.SettleGroups(&id, []string{"a", "b"}, nil, nil); err != nil || !slices.Equal(id.Profile.Groups, []string{"up:a", "up:b"}) {
		t.Errorf("got %q, %v", id.Profile.Groups, err)
	}
}

func TestGroupFailuresInOneWord(t *testing.T) {
	t.Parallel()
	var g GroupFailures
	if err := g.UnmarshalText([]byte("keep_last")); err != nil || g != (GroupFailures{KeepLast, KeepLast, KeepLast}) {
		t.Errorf("got %+v, %v", g, err)
	}
	if err := g.UnmarshalText([]byte("ignore")); err == nil {
		t.Error("a word we do not have is taken")
	}
	bad := GroupFailures{Unavailable: "x", Incomplete: "y"}
	if got := bad.Problems(); len(got) != 2 || got[0].Path != "on_group_failure.unavailable" || got[1].Path != "on_group_failure.incomplete" {
		t.Errorf("got %v", got)
	}
}

func TestRecheckIsOffUnlessConfigured(t *testing.T) {
	t.Parallel()
	minutes := func(n int) *time.Duration { d := time.Duration(n) * time.Minute; return &d }
	for _, tt := range []struct {
		name   string
		common Common
		want   Recheck
		path   string
	}{
		{"off", Common{}, Recheck{}, ""},
		{"the grace is an hour", Common{RecheckInterval: time.Hour}, Recheck{time.Hour, time.Hour}, ""},
		{"no grace is no grace", Common{RecheckInterval: time.Hour, OutageGrace: minutes(0)}, Recheck{time.Hour, 0}, ""},
		{"a grace without a re-check", Common{OutageGrace: minutes(1)}, Recheck{}, "outage_grace"},
		{"a negative grace", Common{RecheckInterval: time.Hour, OutageGrace: minutes(-1)}, Recheck{time.Hour, -time.Minute}, "outage_grace"},
		{"too often", Common{RecheckInterval: time.Second}, Recheck{time.Second, time.Hour}, "recheck_interval"},
		{"negative", Common{RecheckInterval: -time.Hour}, Recheck{-time.Hour, time.Hour}, "recheck_interval"},
	} {
		tt.common.ID, tt.common.ClientID = "up", "c"
		if got := tt.common.Recheck(); got != tt.want {
			t.Errorf("%s: got %+v", tt.name, got)
		}
		var paths []string
		for _, p := range tt.common.Problems() {
			paths = append(paths, p.Path)
		}
		if strings.Join(paths, " ") != tt.path {
			t.Errorf("%s: got problems at %q", tt.name, paths)
		}
	}
	domains := Common{ID: "up", ClientID: "c", Domains: []string{"corp.test", "Corp.test", "x@corp.test", "test"}}
	if got := domains.Problems(); len(got) != 3 || got[0].Path != "domains[1]" || got[2].Path != "domains[3]" {
		t.Errorf("got %v", got)
	}
}
