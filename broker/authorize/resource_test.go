package authorize

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

const ordersURI, stockURI = "https://orders.example", "https://stock.example"

// withResources is a request of a client that may use two APIs, of which the second
// has its tokens encrypted.
func withResources(t testing.TB, client *broker.Client, pairs ...string) *request {
	t.Helper()
	client.Scopes = oauth.Scopes{oauth.OpenID, oauth.Email, "orders.read", "stock.read"}
	q := examine(t, client, pairs...)
	q.endpoint.Resources = policy.Resources{{URI: ordersURI, Scopes: oauth.Scopes{"orders.read"}},
		{URI: stockURI, Scopes: oauth.Scopes{"stock.read"}, Encryption: broker.Encryption{Alg: "ECDH-ES", Enc: "A128GCM"}}}
	q.endpoint.Supported = append(q.endpoint.Supported, "orders.read", "stock.read")
	return q
}

// judged runs every rule.
func judged(t testing.TB, q *request) *oauth.Error {
	t.Helper()
	if err := q.establish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return q.check(t.Context())
}

// RFC 8707 §2, §2.1: what is asked for is kept, and of the scopes what it can be used
// for.
func TestResourcesOfARequest(t *testing.T) {
	t.Parallel()
	const issuer = "https://b.test"
	all := []string{"scope", "openid email orders.read stock.read"}
	for _, row := range []struct {
		name              string
		pairs             []string
		resources, scopes []string
	}{
		{"none", nil, nil, []string{"openid", "email", "orders.read", "stock.read"}},
		{"one, whose scopes remain beside the broker's", []string{"again resource", ordersURI}, []string{ordersURI}, []string{"openid", "email", "orders.read"}},
		{"several, in the client's order", []string{"again resource", stockURI, "again resource", ordersURI}, []string{stockURI, ordersURI}, []string{"openid", "email", "orders.read", "stock.read"}},
		{"one of them twice", []string{"again resource", ordersURI, "again resource", ordersURI}, []string{ordersURI}, []string{"openid", "email", "orders.read"}},
		{"the broker itself", []string{"again resource", issuer}, []string{issuer}, []string{"openid", "email"}},
		{"empty ones are none", []string{"again resource", "", "again resource", ordersURI}, []string{ordersURI}, []string{"openid", "email", "orders.read"}},
	} {
		q := withResources(t, wiki(), append(slices.Clone(all), row.pairs...)...)
		if err := judged(t, q); err != nil || !slices.Equal(q.out.Resources, row.resources) || !slices.Equal(q.out.Scopes, row.scopes) {
			t.Errorf("%s: %q with %q, %v", row.name, q.out.Resources, q.out.Scopes, err)
		}
	}
}

func TestResourcesThatCannotBeHad(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		pairs []string
		want  oauth.Code
	}{
		{"nobody's", []string{"again resource", "https://evil.example"}, oauth.InvalidTarget},
		{"one beside a good one", []string{"again resource", ordersURI, "again resource", "https://evil.example"}, oauth.InvalidTarget},
		{"with a fragment", []string{"again resource", ordersURI + "#x"}, oauth.InvalidTarget},
		{"another spelling", []string{"again resource", ordersURI + "/"}, oauth.InvalidTarget},
		{"no URI", []string{"again resource", "orders"}, oauth.InvalidTarget},
		{"none of whose scopes is asked for", []string{"scope", "openid stock.read", "again resource", ordersURI}, oauth.InvalidTarget},
		{"a token from here that two would read, of which one cannot", []string{"response_type", "token"}, oauth.InvalidTarget},
		{"a token from here for the one that can", []string{"response_type", "token", "again resource", stockURI}, ""},
		{"two that are named, with a token from here", []string{"response_type", "code token", "again resource", stockURI, "again resource", ordersURI}, oauth.InvalidTarget},
		{"two that are named, with a code: the token request names one", []string{"again resource", stockURI, "again resource", ordersURI}, ""},
	} {
		client := wiki()
		implicit(client)
		q := withResources(t, client, append([]string{"scope", "openid orders.read stock.read"}, row.pairs...)...)
		var got oauth.Code
		if err := judged(t, q); err != nil {
			got = err.Code
		}
		if got != row.want || got != "" && (q.out.RedirectURI == "" || q.out.State != "s") {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// RFC 8707 §2.1 with RFC 9101 §4: a request object says one resource or lists several.
func TestResourcesOfARequestObject(t *testing.T) {
	t.Parallel()
	o := newObjects(t)
	for payload, want := range map[string][]string{
		`{"resource":"https://a.example"}`:                          {"https://a.example"},
		`{"resource":["https://a.example","https://b.example/?x"]}`: {"https://a.example", "https://b.example/?x"},
		`{"resource":[]}`:                      nil,
		`{"resource":["https://a.example",1]}`: {"refused"},
		`{"resource":[null]}`:                  {"refused"},
		`{"resource":[""]}`:                    {"refused"},
		`{"resource":[["https://a.example"]]}`: {"refused"},
		`{"resource":null}`:                    {"refused"},
		`{"audience":["https://a.example"]}`:   {"refused"},
	} {
		fields, code := o.open(t, "request", o.sign(t, payload))
		var got []string
		for _, f := range fields {
			if f.Name == "resource" {
				got = append(got, f.Value)
			}
		}
		if code != "" {
			got = []string{"refused"}
		}
		if !slices.Equal(got, want) || code != "" && code != oauth.InvalidRequestObject {
			t.Errorf("%s: %q, %q", payload, got, code)
		}
	}
	// What is inside stands in the place of what is beside it.
	q := withResources(t, o.client, "scope", "openid orders.read stock.read", "again resource", "https://evil.example", "request",
		o.sign(t, `{"resource":["`+stockURI+`","`+ordersURI+`"]}`))
	q.endpoint.Objects = o.RequestObjects
	if err := judged(t, q); err != nil || !slices.Equal(q.out.Resources, []string{stockURI, ordersURI}) {
		t.Errorf("%q, %v", q.out.Resources, err)
	}
}

// FuzzResources: whatever is asked for, what is kept is configured, each once, and
// serves one of the scopes that remain.
func FuzzResources(f *testing.F) {
	for _, seed := range []string{ordersURI, ordersURI + " " + stockURI, ordersURI + " " + ordersURI, ordersURI + "#f", ordersURI + "/", "https://orders.example@evil.example",
		"https://orders.example%00.evil.example", "HTTPS://ORDERS.EXAMPLE", "//orders.example", "https://b.test", "", "javascript:alert(1)", "https://a.test/cb%0d%0a", strings.Repeat("https://orders.example ", 150)} {
		f.Add(seed, "openid orders.read stock.read")
		f.Add(seed, "stock.read")
	}
	f.Fuzz(func(t *testing.T, resources, scope string) {
		var pairs []string
		for _, uri := range strings.Split(resources, " ") {
			pairs = append(pairs, "again resource", uri)
		}
		if _, err := oauth.ParseQuery(url.Values{"resource": strings.Split(resources, " "), "scope": {scope}, "padding": make([]string, 20)}.Encode()); unreadable(err) {
			t.Skip("no request at all")
		}
		client := wiki()
		implicit(client)
		q := withResources(t, client, append(pairs, "scope", scope, "redirect_uri", "https://wiki.example/callback")...)
		if err := judged(t, q); err != nil {
			return
		}
		known := append(slices.Clone(q.endpoint.Resources), broker.Resource{URI: "https://b.test", Scopes: oauth.Scopes{oauth.OpenID, oauth.Email}})
		seen := map[string]bool{}
		for _, uri := range q.out.Resources {
			at := slices.IndexFunc(known, func(r broker.Resource) bool { return r.URI == uri })
			if at < 0 || seen[uri] || len(q.out.Scopes.Intersect(known[at].Scopes)) == 0 {
				t.Fatalf("%q of %q with %q: %+v", uri, resources, scope, q.out)
			}
			seen[uri] = true
		}
	})
}
