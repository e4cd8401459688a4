package configs

import (
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSmallestFileHasTheDocumentedDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal)
	dir := filepath.Dir(c.File())
	if c.Listen != "127.0.0.1:5556" || c.Health.Listen != "127.0.0.1:5557" {
		t.Errorf("listeners: %s and %s", c.Listen, c.Health.Listen)
	}
	if c.Storage != (Storage{"bolt", filepath.Join(dir, "broker.db")}) {
		t.Errorf("storage: %+v", c.Storage)
	}
	if c.Admin.Socket != filepath.Join(dir, "broker.sock") {
		t.Errorf("admin socket: %s", c.Admin.Socket)
	}
	want := Lifetimes{60 * time.Second, 15 * time.Minute, 15 * time.Minute, 720 * time.Hour, 24 * time.Hour, 8 * time.Hour, 10 * time.Minute}
	if c.Lifetimes != want || c.RefreshTokens.RetryWindow != 5*time.Second {
		t.Errorf("lifetimes: %+v, retry window %v", c.Lifetimes, c.RefreshTokens.RetryWindow)
	}
	if c.Signing != (Signing{"RS256", "ES256"}) || c.Log != (Log{"info", "text"}) {
		t.Errorf("signing %+v, log %+v", c.Signing, c.Log)
	}
	if c.TLS.Enabled() || c.TrustedProxies != nil || c.Outbound.AllowNetworks != nil {
		t.Error("something is on that nobody asked for")
	}
	if c.Limits.Login.PerAddress.Off() || c.Limits.Token.PerClient.Off() || c.Limits.Authorize.PerAccount.Off() {
		t.Error("limits are off by default")
	}
}

func TestSectionsAreRead(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+`
listen: 0.0.0.0:8443
trusted_proxies: [10.0.0.0/8, "::1"]
storage: {type: bolt, path: data.db}
lifetimes: {code: 30s, session: 10h, session_idle: 1h30m}
refresh_tokens: {retry_window: 0s}
signing: {id_token: ES256}
outbound: {allow_networks: [127.0.0.0/8]}
health: {listen: off}
admin: {socket: a.sock}
log: {level: debug, format: json}
limits: {login: {per_account: 5/m, per_address: off}}
`)
	if c.Listen != "0.0.0.0:8443" || !c.Health.Off() || c.Log != (Log{"debug", "json"}) {
		t.Errorf("listen %s, health %+v, log %+v", c.Listen, c.Health, c.Log)
	}
	if got := c.TrustedProxies; len(got) != 2 || got[0] != netip.MustParsePrefix("10.0.0.0/8") || got[1] != netip.MustParsePrefix("::1/128") {
		t.Errorf("trusted proxies: %v", got)
	}
	if c.Lifetimes.Code != 30*time.Second || c.Lifetimes.SessionIdle != 90*time.Minute || c.Lifetimes.AccessToken != 15*time.Minute {
		t.Errorf("lifetimes: %+v", c.Lifetimes)
	}
	if c.RefreshTokens.RetryWindow != 0 || c.Signing != (Signing{"ES256", "ES256"}) {
		t.Errorf("retry window %v, signing %+v", c.RefreshTokens.RetryWindow, c.Signing)
	}
	if l := c.Limits.Login; l.PerAccount != (Rate{5, time.Minute}) || !l.PerAddress.Off() {
		t.Errorf("limits: %+v", l)
	}
	if filepath.Base(c.Storage.Path) != "data.db" || filepath.Base(c.Admin.Socket) != "a.sock" || !filepath.IsAbs(c.Admin.Socket) {
		t.Errorf("paths: %s %s", c.Storage.Path, c.Admin.Socket)
	}
}

func TestConnectorsAreDecodedIntoTheirType(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `issuer: https://sso.example.com
connectors:
  - id: corp
    type: fake
    client_id: 0123
    client_secret: env:CORP_SECRET
    tenant: t
    hosted_domains: [a.example, b.example]
    organizations: [{name: acme}]
    strict: false
    pages: 7
    claims: {mail: email}
    groups: {prefix: "x:", allow: [staff]}
`)
	one, ok := c.Connectors[0].(*fakeConfig)
	if !ok {
		t.Fatalf("it is a %T", c.Connectors[0])
	}
	if one.ClientID != "0123" {
		t.Errorf("a number was evaluated: client_id is %s", one.ClientID)
	}
	if one.Tenant != "t" || len(one.Domains) != 2 || one.Orgs[0].Name != "acme" || one.Strict == nil || *one.Strict || one.Pages != 7 ||
		one.Claims["mail"] != "email" || *one.Groups.Prefix != "x:" || one.Groups.Allow[0] != "staff" {
		t.Errorf("decoded: %+v", one)
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	wantProblems(t, `issuer: http://sso.example.com/
listen: 0.0.0.0:80
storage: {typ: bolt}
connectors:
  - {id: a, type: fake, client_id: x, hosted_domains: [ok.example, bad]}
  - {id: a, type: fake, client_id: x, tenants: [1]}
  - {id: b, type: fakd, client_id: x}
  - {id: c}
clients:
  - client_id: wiki
    redirect_uri: [https://wiki.example.com]
    skip_consent: maybe
  - just text
lifetimes: {code: 10m, session: 1h, session_idle: 2h}
log: {level: loud}
registration: {scopes: [openid]}
`,
		`1: issuer: must be https`,
		`1: issuer: must not end with a slash`,
		`2: listen: is plain HTTP for other machines`,
		`3: storage.typ: unknown key: did you mean type?`,
		`5: connectors[0].hosted_domains[1]: must be a domain`,
		`6: connectors[1].id: is that of connectors[0] too`,
		`6: connectors[1].tenants: unknown key: did you mean tenant?`,
		`7: connectors[2].type: unknown connector type: did you mean fake? known are fake`,
		`8: connectors[3]: has no type: choose one of fake`,
		`10: clients[0].client_secret: required`,
		`11: clients[0].redirect_uri: unknown key: did you mean redirect_uris?`,
		`12: clients[0].skip_consent: must be true or false`,
		`13: clients[1]: must be a mapping of keys to values`,
		`14: lifetimes.code: must be from 1s to 1m: a code has to survive one redirect`,
		`14: lifetimes.session_idle: must not be longer than session (1h)`,
		`15: log.level: must be debug, info, warn or error`,
		`16: registration: lets nobody register`,
	)
}

func TestEmptyFileSaysWhatIsRequired(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "# nothing but a comment\n", "{}", "---\n"} {
		wantProblems(t, content, "connectors: needs at least one entry", "issuer: required")
	}
}

func TestFileThatCannotBeReadIsAProblem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "absent.yaml")
	_, err := Load(path, fakeTypes())
	if err == nil || err.Error() != path+": cannot be read: no such file or directory" {
		t.Errorf("error: %v", err)
	}
	_, err = Load(t.TempDir(), fakeTypes())
	if err == nil || !strings.Contains(err.Error(), "cannot be read: is a directory") {
		t.Errorf("error: %v", err)
	}
}

func TestEmptySectionIsAnAbsentOne(t *testing.T) {
	t.Parallel()
	mustLoad(t, minimal+"limits:\n# login: {per_account: 5/m}\nclients:\nlog:\n")
	wantProblems(t, minimal+wiki+"    allow:\n", "8: clients[0].allow: has no value")
	wantProblems(t, minimal+"listen:\n", "4: listen: has no value")
	wantProblems(t, minimal+"outbound: {allow_networks: ~}\n", "4: outbound.allow_networks: has no value")
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+`outbound: {allow_networks: [127.0.0.0/8]}
health: {listen: ":5557"}
`)
	var got []string
	for _, w := range c.Warnings() {
		got = append(got, strings.TrimPrefix(w.String(), c.File()+":"))
	}
	want := []string{" clients: is empty", "4: outbound.allow_networks[0]: addresses in 127.0.0.0/8", "5: health.listen: health and metrics"}
	for i := range want {
		if len(got) != len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("warnings:\n%s", strings.Join(got, "\n"))
		}
	}
	quiet := mustLoad(t, minimal+wiki)
	if len(quiet.Warnings()) != 0 {
		t.Errorf("a plain file has warnings: %v", quiet.Warnings())
	}
}

func TestRulesThatNobodyCanMeetAreWarnedOf(t *testing.T) {
	t.Parallel()
	const entry = "  - {id: ID, type: fake, client_id: a, client_secret: env:CORP_SECRET, groups: {GROUPS}}\n"
	file := minimal + strings.NewReplacer("ID", "own", "GROUPS", "prefix: 'x-'").Replace(entry) +
		strings.NewReplacer("ID", "few", "GROUPS", "prefix: '', allow: [ops]").Replace(entry) + wiki
	for _, row := range []struct{ name, content, want string }{
		{"a group behind its connector's id", "    allow: {groups: [corp:staff]}\n", ""},
		{"a group behind a prefix of its own", "    allow: {groups: [x-staff]}\n", ""},
		{"a group on the list of a connector", "    allow: {groups: [ops]}\n", ""},
		{"a group without prefix", "    allow: {groups: [ops, staff]}\n", "10: clients[0].allow.groups[1]: no connector of this client has such a group: theirs are named corp:…, x-…, …"},
		{"a group of a connector that the client does not have", "    connectors: [own]\n    allow: {groups: [corp:staff]}\n", "11: clients[0].allow.groups[0]: no connector of this client has such a group: theirs are named x-…"},
	} {
		c := mustLoad(t, file+row.content)
		var got []string
		for _, w := range c.Warnings() {
			got = append(got, strings.TrimPrefix(w.String(), c.File()+":"))
		}
		if strings.Join(got, "\n") != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestParseLooksAtNothingButTheFile(t *testing.T) {
	t.Parallel()
	path := write(t, strings.Replace(minimal, "CORP_SECRET", "NONE", 1)+"storage: {path: none/broker.db}\n")
	if _, err := load(path, fakeTypes(), environment); err == nil {
		t.Fatal("the file can be loaded, so the test shows nothing")
	}
	c, err := Parse(path, fakeTypes())
	if err != nil || c.Admin.Socket != filepath.Join(filepath.Dir(path), "none", "broker.sock") {
		t.Errorf("parsed: %v, %v", c, err)
	}
	if _, err := Parse(write(t, minimal+"listen: x\n"), fakeTypes()); err == nil {
		t.Error("an invalid value is not seen")
	}
	if _, err := Parse(filepath.Join(t.TempDir(), "none"), fakeTypes()); err == nil {
		t.Error("a missing file is not seen")
	}
}
