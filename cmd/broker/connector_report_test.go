package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/connectors/connectortest/fake"
)

// The report says what the rules of the configuration leave of the groups.
func TestConnectorTestReportsGroups(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, kind, as, keys string
		want                 []string
	}{
		{"all, with the connector's name in front", "oidc", "ada", "", []string{"here up:staff, up:admins"}},
		{"another prefix", "oidc", "ada", `groups: {prefix: "corp/"}`, []string{"here corp/staff, corp/admins"}},
		{"an allow-list, with plain names", "oidc", "ada", `groups: {prefix: "", allow: [admins, nobody]}`,
			[]string{"there staff, admins", "here admins", "left out staff (groups.allow)"}},
		{"an allow-list that leaves nothing", "oidc", "ada", "groups: {allow: [nobody]}", []string{"here none", "left out staff, admins (groups.allow)"}},
		{"nobody's groups", "oidc", "dana", "", []string{"here none"}},
		{"where they were found", "oidc", "ada", "", []string{"found the claim"}},
		{"Entra's, from Graph", "azuread", "chloe", "group_claims: graph", []string{"found Microsoft Graph"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newTrialBench(t, trialSetup{kind: row.kind, keys: row.keys})
			b.vendor.SignInAs(row.as)
			b.run(nil).says(t, 0, append(row.want, "Signed in")...)
		})
	}
}

// Groups that cannot be read, and a configuration that goes on without.
func TestConnectorTestSaysThatGroupsAreKept(t *testing.T) {
	t.Parallel()
	b := newTrialBench(t, trialSetup{kind: "azuread", keys: "group_claims: graph_always, on_group_failure: keep_last"})
	b.vendor.Misbehave(fake.At(fake.GraphMemberGroups, fake.Unavailable))
	got := b.run(nil)
	got.says(t, 0, "Signed in", "here those of the last sign-in (on_group_failure): they could not be read now")
	if !strings.Contains(got.stderr, "level=WARN") || !strings.Contains(got.stderr, "on_group_failure is keep_last") {
		t.Errorf("standard error is %q", got.stderr)
	}
}

// A connector with several entries on the chooser is tried at the one that is named.
func TestConnectorTestOfAChoice(t *testing.T) {
	t.Parallel()
	b := newTrialBench(t, trialSetup{kind: "azuread", entry: `authority: "%[1]s", graph_url: "%[1]s", tenant: organizations, allowed_tenants: [{id: ` +
		acmeDirectory + `, name: Acme}, {id: 9188040d-6c67-4c5b-b112-36a304b66dad, name: Personal}]`})
	got := b.run(nil, "--choice", "nobody")
	if got.code != 2 || !strings.Contains(got.stderr, `has no choice "nobody": it has `) {
		t.Fatalf("%+v", got)
	}
	keys := strings.Split(strings.TrimSpace(strings.Split(strings.Split(got.stderr, "it has ")[1], "\n")[0]), ", ")
	got = b.run(nil, "--choice", keys[0])
	got.says(t, 0, "Signed in", "/"+acmeDirectory+"/oauth2/v2.0/authorize")
}

// The report says how the person signed in, and what a demanded level came to.
func TestConnectorTestReportsTheRest(t *testing.T) {
	t.Parallel()
	const table = `assurance: [{level: strong, amr: [pwd, otp]}, {level: weak, amr: [pwd]}]`
	for _, row := range []struct {
		name, kind, as, keys string
		args                 []string
		wrong                fake.Misbehaviour
		want                 []string
	}{
		{name: "a level that is proven", kind: "oidc", as: "ada", keys: table, args: []string{"--level", "strong"}, want: []string{"level strong: as demanded", "amr pwd, otp"}},
		{name: "a stronger one than demanded", kind: "oidc", as: "ada", keys: table, args: []string{"--level", "weak"}, want: []string{"level strong: as demanded"}},
		{name: "a level that is not proven", kind: "oidc", as: "ben", keys: table, args: []string{"--level", "strong"},
			want: []string{"strong was demanded, so an application is told unmet_authentication_requirements"}},
		{name: "a fresh sign-in can be proven", kind: "okta", as: "ada", want: []string{"prompt=login and max_age are proven by auth_time", "auth_time 20"}},
		{name: "or only asked for", kind: "azuread", as: "ada", want: []string{"can be asked for, without proof: applications that want proof of one are told login_required"}},
		{name: "or not at all", kind: "google", as: "ada", keys: "reauthentication: best_effort", want: []string{"cannot be had here: applications that want one get what there is"}},
		{name: "less scope than was asked for", kind: "oidc", as: "ada", wrong: fake.TokenReducedScope, want: []string{"missing "}},
		{name: "Google's long names are the same scopes", kind: "google", as: "ada", want: []string{"https://www.googleapis.com/auth/userinfo.email How level"}},
		{name: "an end that is configured", kind: "oidc", as: "ada", keys: "client_secret_expires: 2020-01-31", want: []string{"client_secret has expired on 2020-01-31: replace it"}},
		{name: "an end that is not", kind: "oidc", as: "ada", want: []string{"note the day in client_secret_expires"}},
		{name: "clocks that agree", kind: "oidc", as: "ada", want: []string{"which does no harm"}},
		{name: "re-check is off", kind: "oidc", as: "ada", want: []string{"re-check off: set recheck_interval"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newTrialBench(t, trialSetup{kind: row.kind, keys: row.keys})
			b.vendor.SignInAs(row.as)
			if row.wrong != "" {
				b.vendor.Misbehave(row.wrong)
			}
			b.run(nil, row.args...).says(t, 0, append(row.want, "Signed in")...)
		})
	}
}

// A clock that is wrong by less than what ends a sign-in is told, with which way it is wrong.
func TestConnectorTestReportsTheClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name string
		at   time.Time
		want string
	}{
		{"behind", now.Add(45 * time.Second), "this machine is 45s behind the provider: set its clock (NTP)"},
		{"ahead", now.Add(-45 * time.Second), "this machine is 45s ahead of the provider: set its clock (NTP)"},
		{"a little", now.Add(2 * time.Second), "2s, which does no harm"},
		{"not said", time.Time{}, "not known"},
	} {
		var out strings.Builder
		s := &sheet{w: &out}
		(&trial{}).reportClock(s, reportAt(row.at, now))
		s.flush()
		if !strings.Contains(words(out.String()), row.want) {
			t.Errorf("%s: %s", row.name, out.String())
		}
	}
}

// Where recheck_interval is set, the provider is asked a second time.
func TestConnectorTestAsksAgain(t *testing.T) {
	t.Parallel()
	const recheck = "recheck_interval: 15m, outage_grace: 2h"
	for _, row := range []struct {
		name, kind string
		wrong      fake.Misbehaviour
		options    func(*fake.Options)
		code       int
		want       []string
	}{
		{name: "it works", kind: "oidc", want: []string{"works: asked once more, the provider vouches for the same person; every 15m0s from now on", "for 2h0m0s more"}},
		{name: "it works at Okta", kind: "okta", want: []string{"works: asked once more"}},
		{name: "the refresh token is dead already", kind: "oidc", wrong: fake.RefreshRefused, code: 1, want: []string{"re-check does not work", "gone"}},
		{name: "the answer is about somebody else", kind: "oidc", wrong: fake.RefreshGivesSomebody, code: 1, want: []string{"re-check does not work"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := newTrialBench(t, trialSetup{kind: row.kind, keys: recheck, options: row.options})
			if row.wrong != "" {
				b.vendor.Misbehave(row.wrong)
			}
			b.run(nil).says(t, row.code, append(row.want, "Signed in")...)
			if n := b.vendor.Calls(fake.Token); n != 2 {
				t.Errorf("the token endpoint was asked %d times, want 2", n)
			}
		})
	}
}

// What an upstream says cannot steer the terminal.
func TestConnectorTestPrintsPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada Winter": "Ada Winter", "Chloë Ångström 日本": "Chloë Ångström 日本", "a\x1b[2Jb\r\nc\x07": "a·[2Jb··c·",
		"a\u202egnirts\u200b": "a·gnirts·", "a\u009bb": "a·b", "a\xffb": "a·b",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	b := newTrialBench(t, trialSetup{kind: "oidc"})
	b.vendor.Edit(fake.IDToken, func(claims map[string]any) { claims["name"] = "Ada \x1b]0;owned\x07" })
	got := b.run(nil)
	if strings.Contains(got.stdout, "\x1b") || strings.Contains(got.stderr, "\x1b") {
		t.Errorf("an escape sequence is printed: %q", got.stdout)
	}
}

// The way the answer comes back follows from the issuer and the vendor, unless the command line says it.
func TestTheWayBack(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	free := freeAddress(t)
	for _, row := range []struct {
		name, issuer, vendor string
		o                    trialOptions
		uri                  string
		own, listens         bool
		because              string
	}{
		{name: "pasted, as asked", issuer: trialIssuer, vendor: "oidc", o: trialOptions{print: true}, uri: trialIssuer + "/callback/up", own: true},
		{name: "an issuer with a path", issuer: trialIssuer + "/auth", vendor: "oidc", o: trialOptions{print: true}, uri: trialIssuer + "/auth/callback/up", own: true},
		{name: "the issuer's own address where nothing runs", issuer: "http://" + free, vendor: "oidc", uri: "http://" + free + "/callback/up", own: true, listens: true},
		{name: "pasted where the broker runs", issuer: "http://" + busy.Addr().String(), vendor: "oidc", uri: "http://" + busy.Addr().String() + "/callback/up",
			own: true, because: "the issuer's own address is not free"},
		{name: "pasted at GitHub, which knows one callback URL", issuer: trialIssuer, vendor: "github", uri: trialIssuer + "/callback/up", own: true, because: "one callback URL"},
		{name: "where the command line says", issuer: trialIssuer, vendor: "github", o: trialOptions{listen: free}, uri: "http://" + free + "/callback/up", listens: true},
		{name: "by the name that the command line says", issuer: trialIssuer, vendor: "azuread", o: trialOptions{listen: "localhost:0"}, uri: "http://localhost:", listens: true},
	} {
		row.o.id = "up"
		w, err := row.o.way(row.issuer, row.vendor)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if !strings.HasPrefix(w.redirectURI, row.uri) || !strings.HasSuffix(w.redirectURI, "/callback/up") || w.own != row.own ||
			(w.listener != nil) != row.listens || !strings.Contains(w.because, row.because) || (w.because == "") != (row.because == "") {
			t.Errorf("%s: %+v", row.name, w)
		}
		w.close()
	}
	for vendor, want := range map[string]string{"oidc": "http://127.0.0.1:5558/", "azuread": "http://localhost:5558/"} {
		o := trialOptions{id: "up"}
		w, err := o.way(trialIssuer, vendor)
		if err != nil {
			if !strings.Contains(err.Error(), "5558") || !strings.Contains(err.Error(), "choose another address with --listen") {
				t.Errorf("%s: %v", vendor, err)
			}
			continue // another program has the port
		}
		w.close()
		if !strings.HasPrefix(w.redirectURI, want) || w.own {
			t.Errorf("%s: %s", vendor, w.redirectURI)
		}
	}
}

// freeAddress is one where nothing listens now. Where all of 127.0.0.0/8 is this machine nobody else comes to it either.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.83.%d.%d:0", os.Getpid()%200+1, addresses.Add(1)%200+1))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// addresses counts those that were given out.
var addresses atomic.Int32

func TestConnectorTestCommandLines(t *testing.T) {
	t.Parallel()
	path := write(t, sample)
	for _, row := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing to do", []string{"connector"}, "broker connector: say what to do: test"},
		{"an unknown command", []string{"connector", "tets"}, `broker connector: unknown command "tets": did you mean test?`},
		{"no connector", []string{"connector", "test", "-c", path}, "broker connector test: name one connector by its id"},
		{"two connectors", []string{"connector", "test", "-c", path, "corp", "github"}, "broker connector test: name one connector"},
		{"no file", []string{"connector", "test", "corp"}, "broker connector test: name the configuration file"},
		{"an unknown connector", []string{"connector", "test", "-c", path, "okta"}, `broker connector test: ` + path + ` has no connector "okta": it has corp, github`},
		{"two ways", []string{"connector", "test", "-c", path, "corp", "--print", "--listen", "127.0.0.1:0"}, "broker connector test: --listen and --print are two ways"},
		{"an address of the network", []string{"connector", "test", "-c", path, "corp", "--listen", "0.0.0.0:5558"}, "broker connector test: --listen must be a loopback address"},
		{"every address", []string{"connector", "test", "-c", path, "corp", "--listen", ":5558"}, "broker connector test: --listen must be a loopback address"},
		{"no port", []string{"connector", "test", "-c", path, "corp", "--listen", "127.0.0.1"}, "broker connector test: --listen wants an address and a port"},
		{"no time", []string{"connector", "test", "-c", path, "corp", "--timeout", "0s"}, "broker connector test: --timeout must be longer"},
		{"no such choice", []string{"connector", "test", "-c", path, "corp", "--choice", "acme"}, "broker connector test: connector corp has no choices"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := command(t, row.args...)
			if got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, row.want) {
				t.Errorf("%+v", got)
			}
		})
	}
	with := write(t, strings.Replace(sample, "issuer: https://idp.example.com}", `issuer: https://idp.example.com, assurance: [{level: mfa, amr: [mfa]}]}`, 1))
	if got := command(t, "connector", "test", "-c", with, "corp", "--level", "mfaa"); got.code != 2 || !strings.Contains(got.stderr, `no level "mfaa": its assurance table has mfa`) {
		t.Errorf("an unknown level: %+v", got)
	}
	if got := command(t, "connector", "test", "-c", path, "github", "--level", "mfa"); got.code != 2 || !strings.Contains(got.stderr, "connectors of type github prove no level") {
		t.Errorf("a level of GitHub: %+v", got)
	}
}

// A secret that is missing is a failure, not a command line that makes no sense; those of others do not matter.
func TestConnectorTestNeedsItsOwnSecretsOnly(t *testing.T) {
	t.Parallel()
	path := write(t, strings.Replace(sample, "client_id: gatehouse, client_secret: a-literal-of-good-length}", `client_id: gatehouse, client_secret: "env:NOT_SET_ANYWHERE"}`, 1))
	got := command(t, "connector", "test", "-c", path, "github", "--print")
	if got.code != 1 || !strings.Contains(got.stderr, "NOT_SET_ANYWHERE: the environment variable is not set") {
		t.Errorf("%+v", got)
	}
	if got := command(t, "connector", "test", "-c", path, "corp", "--print", "--timeout", "1ms"); strings.Contains(got.stderr, "NOT_SET_ANYWHERE") {
		t.Errorf("%+v", got)
	}
}

// Ctrl-C ends the wait at once, and frees the address.
func TestConnectorTestIsInterrupted(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	for _, args := range [][]string{{"--print"}, {"--listen", address}} {
		b := newTrialBench(t, trialSetup{kind: "oidc"})
		ctx, stop := context.WithCancel(t.Context())
		got := b.runIn(ctx, func(string, io.Writer) { stop() }, args...)
		got.says(t, 1, "Not signed in", "interrupted")
		if last := lastLine(got.stderr); last != "connector up: not signed in: interrupted" {
			t.Errorf("%v: %q", args, last)
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("the address is still taken: %v", err)
	}
	_ = l.Close()
}

// No database is made or touched, and no secret key.
func TestConnectorTestWritesNothing(t *testing.T) {
	t.Parallel()
	b := newTrialBench(t, trialSetup{kind: "oidc"})
	before := filesBeside(t, b.path)
	b.run(nil).says(t, 0, "Signed in")
	if after := filesBeside(t, b.path); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("there were %v, and are %v", before, after)
	}
}
