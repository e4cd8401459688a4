package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/connectors/connectortest/fake"
)

const wrongSecret = "canary-not-the-secret-9876543210"

// comesBack makes the browser end with an error that the person or the vendor answered, as the vendor's documentation
// has it.
func comesBack(code, description string) func(string) string {
	return func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			return err.Error()
		}
		q := url.Values{"error": {code}, "error_description": {description}, "state": {u.Query().Get("state")}}
		return u.Query().Get("redirect_uri") + "?" + q.Encode()
	}
}

// googleGroups reads groups with the access token of the person.
func googleGroups(more string) trialSetup {
	return trialSetup{entry: `issuer: "%[1]s", cloud_identity_url: "%[1]s", directory_url: "%[1]s", hosted_domains: [example.com], groups_from: cloud_identity` + more}
}

// Each known mistake is told with its fix, in the words of the vendor's console.
func TestConnectorTestKnowsTheMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, kind string
		setup      trialSetup
		as         string
		wrong      fake.Misbehaviour
		answer     func(string) string
		want       []string
	}{
		{name: "a wrong secret", kind: "google", setup: trialSetup{secret: wrongSecret},
			want: []string{"operator (invalid_client)", "Google Auth Platform > Clients > the client > Client secrets"}},
		{name: "an account of no hosted domain", kind: "google", as: "dana", want: []string{"not_allowed (hosted_domain)", "An account that only has an address in the domain does not count"}},
		{name: "a consumer account with an address in the domain", kind: "google", as: "chloe", want: []string{"not_allowed (hosted_domain)"}},
		{name: "the application is internal", kind: "google", answer: comesBack("org_internal", ""), want: []string{"(org_internal)", "Google Auth Platform > Audience to External"}},
		{name: "the administrator blocks it", kind: "google", answer: comesBack("admin_policy_enforced", ""),
			want: []string{"operator (admin_policy_enforced)", "Security > Access and data control > API controls > Manage app access", trialClient}},
		{name: "the person cancels", kind: "google", answer: comesBack("access_denied", ""), want: []string{"declined (access_denied)", "Audience > Test users"}},
		{name: "a clock that is wrong", kind: "google", wrong: fake.ExpiredToken, want: []string{"The clocks do not agree", "timedatectl set-ntp true", "is what this machine believes"}},

		{name: "the API of groups is not enabled", kind: "google", setup: googleGroups(""), wrong: fake.GoogleAPIDisabled,
			want: []string{"The API is not enabled in the project", "APIs & Services > Library"}},
		{name: "the scope for groups was left out", kind: "google", setup: googleGroups(""), wrong: fake.GoogleScopeUnchecked,
			want: []string{"The scope for groups is missing", "cloud-identity.groups.readonly", "leave its box ticked"}},
		{name: "an edition that knows no nested groups", kind: "google", setup: googleGroups(", nested_groups: true"), wrong: fake.GooglePremiumOnly,
			want: []string{"(4013)", "nested_groups: false, or groups_from: directory"}},
		{name: "an account outside of every Workspace", kind: "google", as: "ben", setup: googleGroups(""), want: []string{"(hosted_domain)"}},

		{name: "the secret's ID instead of its value", kind: "azuread", setup: trialSetup{secret: wrongSecret},
			want: []string{"operator (AADSTS7000215)", "client_secret is the Value, not the Secret ID"}},
		{name: "a secret that has expired", kind: "azuread", wrong: fake.EntraSecretExpired, want: []string{"operator (AADSTS7000222)", "Certificates & secrets > Client secrets > New client secret", "client_secret_expires"}},
		{name: "no admin consent", kind: "azuread", wrong: fake.EntraConsentMissing,
			want: []string{"operator (AADSTS65001)", "API permissions > Grant admin consent", "/adminconsent?client_id=" + trialClient}},
		{name: "a person who is not assigned", kind: "azuread", wrong: fake.EntraUnassigned, want: []string{"not_allowed (AADSTS50105)", "Users and groups > Add user/group"}},
		{name: "a policy that blocks", kind: "azuread", wrong: fake.EntraAccessBlocked, want: []string{"declined (AADSTS53003)", "Entra ID > Conditional Access"}},
		{name: "a second factor is due", kind: "azuread", wrong: fake.EntraMFARequired, want: []string{"interaction (AADSTS50076)", "a second factor"}},
		{name: "a tenant that is not allowed", kind: "azuread", as: "eve", setup: trialSetup{entry: `authority: "%[1]s", graph_url: "%[1]s", tenant: organizations, allowed_tenants: [` + acmeDirectory + `]`},
			want: []string{"not_allowed (tenant)", "add its ID (in the reason above) to allowed_tenants"}},
		{name: "more groups than a token holds", kind: "azuread", as: "chloe", want: []string{"operator (groups_overage)", "Token configuration > Edit groups claim", "group_claims: graph"}},
		{name: "a scope that there is not", kind: "azuread", answer: comesBack("invalid_client", "AADSTS650053: The application asked for scope 'x'"),
			want: []string{"(AADSTS650053)", "User.Read and GroupMember.Read.All"}},
		{name: "no admin consent for groups", kind: "azuread", setup: trialSetup{keys: "group_claims: graph_always"}, wrong: fake.At(fake.GraphMemberGroups, fake.Forbidden),
			want: []string{"admin consent is missing", "Delegated permissions: User.Read and GroupMember.Read.All", "/adminconsent?client_id=" + trialClient}},
		{name: "a number that nobody has heard of", kind: "azuread", answer: comesBack("invalid_request", "AADSTS99999: Something"),
			want: []string{"(AADSTS99999)", "https://login.microsoftonline.com/error"}},
		{name: "tokens of version 1.0", kind: "azuread", wrong: fake.EntraV1Issuer, want: []string{"requestedAccessTokenVersion"}},
		{name: "the redirect URI, told at the token endpoint", kind: "azuread", answer: comesBack("invalid_request", "AADSTS50011: The reply URL"),
			want: []string{"operator (AADSTS50011)", "platform Web: add " + trialIssuer + "/callback/up"}},

		{name: "a wrong secret", kind: "okta", setup: trialSetup{secret: wrongSecret}, want: []string{"operator (invalid_client)", "General > Client Credentials"}},
		{name: "no access policy rule", kind: "okta", wrong: fake.OktaPolicyDenies, want: []string{"declined (access_denied)", "Access Policies: a policy for this client, with a rule"}},
		{name: "a person who is not assigned", kind: "okta", answer: comesBack("access_denied", "User is not assigned to the client application."),
			want: []string{"declined (access_denied)", "the app > Assignments > Assign"}},
		{name: "a scope that the server lacks", kind: "okta", wrong: fake.OktaNoGroupsScope, want: []string{"operator (invalid_scope)", "Scopes > Add Scope", "Claims > Add Claim with value type Groups"}},
		{name: "the errors of Okta's API", kind: "okta", setup: trialSetup{secret: wrongSecret}, wrong: fake.OktaAPIShape, want: []string{"operator (invalid_client)", "General > Client Credentials"}},

		{name: "an API token that is dead", kind: "okta", setup: trialSetup{keys: "groups_from: api, api_token: canary-dead-token-0123456789", options: func(o *fake.Options) { o.Okta.APITokens = []string{"another"} }},
			want: []string{"Okta's API refuses to tell groups", "Security > API > Tokens"}},

		{name: "another callback URL", kind: "github", setup: trialSetup{options: func(o *fake.Options) { o.Clients[0].RedirectURIs = []string{"https://sso.example.com/callback/other"} }},
			want: []string{"operator (redirect_uri_mismatch)", "Authorization callback URL: set it to " + trialIssuer + "/callback/up"}},
		{name: "a wrong secret", kind: "github", setup: trialSetup{secret: wrongSecret}, want: []string{"operator (incorrect_client_credentials)", "Generate a new client secret"}},
		{name: "an address that is not verified", kind: "github", wrong: fake.GitHubUnverifiedAccount, want: []string{"declined (unverified_user_email)", "Settings > Emails"}},
		{name: "less scope than asked for", kind: "github", wrong: fake.TokenReducedScope, want: []string{"declined (insufficient_scope)", "Authorized OAuth Apps"}},
		{name: "an invitation that was not accepted", kind: "github", as: "ben", want: []string{"not_allowed", "An invitation has to be accepted first", "Third-party Access > OAuth app policy"}},
		{name: "an organization behind SAML", kind: "github", wrong: fake.GitHubSAMLRequired, want: []string{"(sso_required)", "https://github.com/orgs/NAME/sso"}},
		{name: "access restrictions", kind: "github", wrong: fake.At(fake.GitHubMemberships, fake.Forbidden), want: []string{"OAuth app access restrictions", "OAuth app policy: an owner approves the app"}},
		{name: "a GitHub App that is called an OAuth app", kind: "github", setup: trialSetup{keys: "app: oauth", options: func(o *fake.Options) { o.GitHub.App = true }},
			want: []string{"client_id belongs to a GitHub App", "Set app: github for a GitHub App"}},
		{name: "a limit", kind: "github", wrong: fake.GitHubRateLimited, want: []string{"transient", "Try again in a minute", "as the provider wishes"}},

		{name: "a wrong secret", kind: "oidc", setup: trialSetup{secret: wrongSecret}, want: []string{"operator (invalid_client)", "Compare client_id " + trialClient, "token_endpoint_auth_method"}},
		{name: "a code that was used", kind: "oidc", wrong: fake.CodeAlreadyRedeemed, want: []string{"broken (invalid_grant)", "A code is good once"}},
		{name: "another issuer in the document", kind: "oidc", wrong: fake.DiscoveryWrongIssuer, want: []string{"Before anybody was asked to sign in", "byte for byte"}},
		{name: "a provider that is down", kind: "oidc", wrong: fake.At(fake.Discovery, fake.Unavailable), want: []string{"transient", "Try again in a minute"}},
		{name: "no ID token", kind: "oidc", wrong: fake.TokenWithoutIDToken, want: []string{"Have openid among the scopes"}},
		{name: "a check that nobody can do anything about", kind: "oidc", wrong: fake.AlgNone, want: []string{"fails a check of ours"}},
	} {
		t.Run(row.kind+": "+row.name, func(t *testing.T) {
			t.Parallel()
			row.setup.kind = row.kind
			b := newTrialBench(t, row.setup)
			if row.as != "" {
				b.vendor.SignInAs(row.as)
			}
			if row.wrong != "" {
				b.vendor.Misbehave(row.wrong)
			}
			got := b.run(row.answer)
			got.says(t, 1, append(row.want, "what ", "reason ", "to do ")...)
			if !strings.HasPrefix(got.stderr, "connector up: not signed in: ") || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("standard error is %q", got.stderr)
			}
			if strings.Contains(got.stdout, "Signed in") {
				t.Errorf("somebody was signed in:\n%s", got.stdout)
			}
		})
	}
}

// What a vendor shows on a page of its own, without sending anybody back, is told while waiting.
func TestConnectorTestTellsOfPagesThatDoNotComeBack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ kind, shows, fix string }{
		{"google", "Error 400: redirect_uri_mismatch", "Authorized redirect URIs: add http://127.0.0.1:"},
		{"azuread", "AADSTS50011", "a redirect URI of platform Web is http://127.0.0.1:"},
		{"okta", "400 Bad Request: The 'redirect_uri' parameter must be a Login redirect URI", "Sign-in redirect URIs: add http://127.0.0.1:"},
		{"oidc", "something about redirect_uri", "Register http://127.0.0.1:"},
	} {
		t.Run(row.kind, func(t *testing.T) {
			t.Parallel()
			b := newTrialBench(t, trialSetup{kind: row.kind})
			got := b.runIn(t.Context(), func(address string, _ io.Writer) {
				if at := b.visit(address); at != "" {
					t.Errorf("the vendor sent the browser to %s", at)
				}
			}, "--listen", "127.0.0.1:0", "--timeout", "200ms")
			got.says(t, 1, row.shows, row.fix, "nobody came back within 200ms", "one more redirect URI has to be registered")
			if n := strings.Count(got.stdout, "- "+row.shows+"\n"); n != 2 {
				t.Errorf("it is said %d times, not while waiting and at the end", n)
			}
		})
	}
}

// Addresses that are not the answer are told apart, and the next one counts.
func TestConnectorTestTakesTheRightAddressOnly(t *testing.T) {
	t.Parallel()
	b := newTrialBench(t, trialSetup{kind: "oidc"})
	got := b.runIn(t.Context(), func(address string, in io.Writer) {
		right := b.visit(address)
		u, err := url.Parse(right)
		if err != nil {
			t.Error(err)
		}
		q := u.Query()
		q.Set("state", "of-another-sign-in")
		other := "https://sso.example.com/callback/up?" + q.Encode()
		fmt.Fprintf(in, "\n%s\nhello\nhttps://sso.example.com/callback/up\n%s\n%s&state=x\n%s\n", address, other, right, right)
	}, "--print")
	got.says(t, 0, "This address carries no answer of a provider.", "That is not the address of a page with an answer", "This is the answer to another sign-in", "Signed in")
	if n := strings.Count(got.stdout, "This is the answer to another sign-in"); n != 2 {
		t.Errorf("two answers were wrong, %d were refused", n)
	}
	if n := b.vendor.Calls(fake.Token); n != 1 {
		t.Errorf("%d codes were presented", n)
	}
}

func TestConnectorTestWhereNothingIsPasted(t *testing.T) {
	t.Parallel()
	b := newTrialBench(t, trialSetup{kind: "oidc"})
	got := b.runIn(t.Context(), func(string, io.Writer) {}, "--print")
	got.says(t, 1, "standard input ended before the address was pasted")
	if b.vendor.Calls(fake.Token) != 0 {
		t.Error("a code was presented")
	}
}

// The listener is for one answer to one sign-in.
func TestConnectorTestListens(t *testing.T) {
	t.Parallel()
	var seen []string
	b := newTrialBench(t, trialSetup{kind: "github", options: func(o *fake.Options) { o.Clients[0].RedirectURIs = []string{"http://127.0.0.1/callback/up"} }})
	get := func(address string) string {
		r, err := http.Get(address)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer r.Body.Close()
		body := make([]byte, 4096)
		n, _ := r.Body.Read(body)
		seen = append(seen, fmt.Sprint(r.StatusCode))
		if r.Header.Get("Referrer-Policy") != "no-referrer" || r.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("headers of %s: %v", address, r.Header)
		}
		return string(body[:n])
	}
	got := b.runIn(t.Context(), func(address string, _ io.Writer) {
		right := b.visit(address)
		u, err := url.Parse(right)
		if err != nil || !strings.HasPrefix(right, "http://127.0.0.1:") {
			t.Errorf("the browser is sent to %s, %v", right, err)
			return
		}
		get("http://" + u.Host + "/")
		get("http://" + u.Host + "/callback/other?" + u.RawQuery)
		get("http://" + u.Host + u.Path + "?code=x&state=" + "<b>made-up</b>")
		if body := get(right); !strings.Contains(body, "The answer has arrived") || strings.Contains(body, "code") {
			t.Errorf("the page is %q", body)
		}
	}, "--listen", "127.0.0.1:0")
	got.says(t, 0, "Signed in", "subject 10424242", "This is the answer to another sign-in")
	if strings.Join(seen, " ") != "404 404 400 200" {
		t.Errorf("the listener answered %v", seen)
	}
	if strings.Contains(got.stdout, "made-up") {
		t.Error("what a stranger sent is printed")
	}
}
