package flow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// assuredAs is signedIn with a table at corp, none at hub, and a sign-in as strong
// as proven.
func assuredAs(proven string, acrValues ...string) Situation {
	s := signedIn()
	s.Upstreams[0].Levels = []string{"phr", "mfa", "pwd"}
	s.Upstreams[1].NoACR = true
	s.State.Session.SignIns[0].ACR = proven
	s.Flow.Request.ACRValues = acrValues
	return s
}

// UP-27: what a client demands of how somebody authenticated is met, or nothing is
// issued; and what is issued says no more than was proven.
func TestUP27AssuranceIsMetOrNothingIsIssued(t *testing.T) {
	t.Parallel()
	essential := func(s *Situation) { s.Flow.Request.EssentialACR = true }
	now := func(s *Situation) { s.Flow.SignedIn = "corp" }
	silent := func(s *Situation) { s.Flow.Request.Prompt = "none" }
	noTable := func(s *Situation) { s.Upstreams[0].Levels = nil }
	for _, row := range []struct {
		name   string
		proven string
		asked  string
		change []func(*Situation)
		want   Action
		told   string // acr, or the error
	}{
		{"nothing is asked: what was proven", "pwd", "", nil, Issue, "pwd"},
		{"nothing is asked and nothing known", "", "", nil, Issue, ""},
		{"just what was proven", "mfa", "mfa", nil, Issue, "mfa"},
		{"one of several", "mfa", "other mfa", nil, Issue, "mfa"},
		{"less than was proven: the level that was asked for", "phr", "mfa", nil, Issue, "mfa"},
		{"less than was proven: of several the first the client prefers", "phr", "pwd mfa", nil, Issue, "pwd"},
		{"less than was proven, and that too: what was proven", "mfa", "pwd mfa", nil, Issue, "mfa"},
		{"less than was proven, essential: the level that was asked for", "phr", "pwd", []func(*Situation){essential}, Issue, "pwd"},
		{"more than was proven: sign in", "pwd", "mfa", nil, SignIn, ""},
		{"nothing was proven: sign in", "", "mfa", nil, SignIn, ""},
		{"a level that a table of before proved: sign in", "gone", "mfa", nil, SignIn, ""},
		{"a level that a table of before proved, though it is asked for: sign in", "gone", "gone mfa", nil, SignIn, ""},
		{"more than was proven, silently: login_required", "pwd", "mfa", []func(*Situation){silent}, Fail, "login_required"},
		{"more than was proven just now: unmet, no loop", "pwd", "mfa", []func(*Situation){now}, Fail, "unmet_authentication_requirements"},
		{"nothing was proven just now: unmet, no loop", "", "phr mfa", []func(*Situation){now}, Fail, "unmet_authentication_requirements"},
		{"enough was proven just now", "mfa", "mfa", []func(*Situation){now}, Issue, "mfa"},
		{"prompt=login and as strong: sign in all the same", "mfa", "mfa", []func(*Situation){func(s *Situation) { s.Flow.Request.Prompt = "login" }}, SignIn, ""},
		{"Core §3.1.2.1: what nobody knows is a preference", "pwd", "1 2", nil, Issue, "pwd"},
		{"what nobody knows, proven just now", "", "1 2", []func(*Situation){now}, Issue, ""},
		{"what nobody knows, essential: unmet", "pwd", "1 2", []func(*Situation){essential}, Fail, "unmet_authentication_requirements"},
		{"what nobody knows, essential and silently: unmet, as no interaction would help", "pwd", "1 2", []func(*Situation){essential, silent}, Fail, "unmet_authentication_requirements"},
		{"what only a connector knows that the client does not admit is a preference", "pwd", "gold",
			[]func(*Situation){func(s *Situation) { s.Upstreams[1].Levels, s.Client.Connectors = []string{"gold"}, []string{"corp"} }}, Issue, "pwd"},
		{"what another connector knows is demanded of this one too", "mfa", "gold", []func(*Situation){func(s *Situation) { s.Upstreams[1].Levels = []string{"gold"} }}, SignIn, ""},
		{"no table: a preference", "silver", "gold", []func(*Situation){noTable}, Issue, "silver"},
		{"no table, essential: the upstream's own words", "gold", "silver gold", []func(*Situation){noTable, essential}, Issue, "gold"},
		{"no table, essential: other words are no match, as nothing says which are stronger", "gold", "silver", []func(*Situation){noTable, essential}, SignIn, ""},
		{"no table, essential, nothing proven just now: unmet", "", "gold", []func(*Situation){noTable, essential, now}, Fail, "unmet_authentication_requirements"},
		{"consent is asked for after the demand is met", "mfa", "mfa", []func(*Situation){func(s *Situation) { s.Client.SkipConsent = false }}, AskConsent, ""},
		{"who may not use the client is not asked for more when it is met", "mfa", "mfa", []func(*Situation){func(s *Situation) { s.Client.Allow.Groups = []string{"staff"} }}, Fail, "access_denied"},
	} {
		s := assuredAs(row.proven, strings.Fields(row.asked)...)
		for _, change := range row.change {
			change(&s)
		}
		step := Next(s)
		told := step.ACR
		if step.Action == Fail {
			told = string(step.Err.Code)
		}
		if step.Action != row.want || told != row.told {
			t.Errorf("%s: action %d, told %q; want %d, %q", row.name, step.Action, told, row.want, row.told)
		}
	}
}

// A person is sent only where the demand can be met.
func TestOnlyConnectorsThatCanMeetTheDemandAreOffered(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		asked  string
		change func(*Situation)
		want   string
	}{
		{"no demand: every one", "", func(*Situation) {}, "corp hub"},
		{"a preference: every one", "1 2", func(*Situation) {}, "corp hub"},
		{"a level of one", "mfa", func(*Situation) {}, "corp"},
		{"a level of one, and one that passes the words on", "mfa", func(s *Situation) { s.Upstreams[1].NoACR = false }, "corp hub"},
		{"essential words of nobody's table", "gold", func(s *Situation) { s.Flow.Request.EssentialACR, s.Upstreams[1].NoACR = true, false }, "hub"},
		{"a level of one that cannot ask again, where that is asked for too", "gold", func(s *Situation) {
			s.Upstreams[1].Levels, s.Flow.Request.Prompt = []string{"gold"}, "login"
		}, "login_required"},
		{"on the chooser page as well", "mfa", func(s *Situation) { s.Flow.SignedIn = "corp" }, "corp"},
	} {
		s := assuredAs("")
		s.Flow.Request.ACRValues = strings.Fields(row.asked)
		row.change(&s)
		step := Offer(s, false)
		got := strings.Join(step.Connectors, " ")
		if step.Action == Fail {
			got = string(step.Err.Code)
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// Of a session's sign-ins the one counts that is as strong as is demanded, then the
// latest.
func TestTheSignInThatMeetsTheDemandCounts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, corp, hub, asked, want string
	}{
		{"no demand: the latest", "mfa", "", "", "hub"},
		{"the older is strong enough", "mfa", "silver", "mfa", "corp"},
		{"both are: the latest", "mfa", "mfa", "mfa", "hub"},
		{"neither is: the latest", "pwd", "silver", "mfa", "hub"},
	} {
		s := assuredAs(row.corp, strings.Fields(row.asked)...)
		s.Upstreams[1].NoACR = false
		s.State.Session.SignIns = append(s.State.Session.SignIns, broker.SignIn{Connector: "hub", ACR: row.hub, AuthTime: s.State.Now.Add(-time.Minute)})
		if got := s.choose(s.State.Session); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
		s.Upstreams = slices.Clone(s.Upstreams)
		slices.Reverse(s.Upstreams)
		if got := s.choose(s.State.Session); got != row.want {
			t.Errorf("%s, the other way round: %s, want %s", row.name, got, row.want)
		}
	}
}

// FuzzReported: whatever is asked, the client hears only what was proven or what
// stands below it in the table, and only what it listed.
func FuzzReported(f *testing.F) {
	f.Add("a b c", "a", "c b")
	f.Add("", "x", "x")
	f.Add("a", "", "a")
	f.Add("a b", "b", "a")
	f.Fuzz(func(t *testing.T, table, proven, asked string) {
		d := connectors.Description{Levels: strings.Fields(table)}
		demanded := strings.Fields(asked)
		told, met := reported(d, proven, demanded)
		if len(demanded) == 0 {
			if told != proven || !met {
				t.Fatalf("no demand: %q %v", told, met)
			}
			return
		}
		if !met {
			return
		}
		if !slices.Contains(demanded, told) || told != proven && slices.Index(d.Levels, proven) < 0 {
			t.Fatalf("told %q of %q in %q, asked %q", told, proven, table, asked)
		}
		if told != proven && !slices.Contains(d.Levels[slices.Index(d.Levels, proven):], told) {
			t.Fatalf("told %q, which is above %q in %q", told, proven, table)
		}
	})
}
