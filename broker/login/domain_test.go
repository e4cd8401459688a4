package login

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
	"gatehouse/internal/httpx"
)

// federation is four upstreams: acme's own, one that acme and beta share, one of
// nobody's, and one with choices.
func federation() []*scripted {
	entra := upstream("entra", "gamma.example")
	entra.Choices = []connectors.Choice{{Key: "north", Name: "North"}, {Key: "south", Name: "South"}}
	return []*scripted{upstream("acme", "acme.example"), upstream("shared", "acme.example", "beta.example"), upstream("public"), entra}
}

const everyone = "ACME SHARED PUBLIC North (ENTRA) South (ENTRA)"

// A login_hint with an address of somebody's domain chooses for the person.
func TestALoginHintRoutesByItsDomain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, hint string
		change     func(*broker.AuthorizationRequest)
		want       string
	}{
		{"no hint", "", nil, everyone},
		{"a domain of one", "ada@beta.example", nil, "at shared"},
		{"a domain of two", "ada@acme.example", nil, "ACME SHARED"},
		{"a domain of one that has choices", "ada@gamma.example", nil, "North (ENTRA) South (ENTRA)"},
		{"in capitals", "Ada@BETA.Example", nil, "at shared"},
		{"nobody's domain", "ada@delta.example", nil, everyone},
		{"a subdomain", "ada@sub.beta.example", nil, everyone},
		{"a domain that ends alike", "ada@xbeta.example", nil, everyone},
		{"two @", "ada@beta.example@evil.example", nil, everyone},
		{"the domain behind a quote", `"ada@beta.example"@evil.example`, nil, everyone},
		{"a trailing dot", "ada@beta.example.", nil, everyone},
		{"no address", "beta.example", nil, everyone},
		{"idp_hint wins", "ada@beta.example", func(r *broker.AuthorizationRequest) { r.Connector = "public" }, "at public"},
		{"prompt=select_account: the upstream asks which account", "ada@beta.example", func(r *broker.AuthorizationRequest) { r.Prompt = oauth.PromptSelectAccount }, "at shared"},
	} {
		all := federation()
		w := newWorld(t, all...)
		answer := w.authorize(func(r *broker.AuthorizationRequest) {
			r.LoginHint = row.hint
			if row.change != nil {
				row.change(r)
			}
		})
		if got := outcome(answer); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		for _, u := range all {
			for _, asked := range u.asked {
				if asked.LoginHint != row.hint || asked.SelectAccount != (row.name == "prompt=select_account: the upstream asks which account") {
					t.Errorf("%s: %s was asked %+v", row.name, u.ID, asked)
				}
			}
		}
	}
}

// Only connectors the client admits are routed to.
func TestRoutingAdmitsNoOtherConnector(t *testing.T) {
	t.Parallel()
	w := newWorld(t, federation()...)
	w.endpoint.Clients.(clients)["wiki"].Connectors = []string{"acme", "public"}
	if got := outcome(w.authorize(hinted("ada@beta.example"))); got != "ACME PUBLIC" {
		t.Errorf("a domain of a connector that is not admitted: %q", got)
	}
	if got := outcome(w.authorize(hinted("ada@acme.example"))); got != "at acme" {
		t.Errorf("a domain of one that is and one that is not: %q", got)
	}
	if answer := w.get(t.Context(), w.chooserOf()+"&email=ada@beta.example"); !strings.Contains(answer.Body.String(), "No way to sign in is known") {
		t.Errorf("typed: %s", answer.Body)
	}
}

// What is typed on the page leads to the upstream of its domain, which is told the
// address.
func TestATypedAddressRoutes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, typed, want, says string }{
		{"a domain of one", "ada@beta.example", "at shared", ""},
		{"with spaces around it, as telephones add", " ada@beta.example ", "at shared", ""},
		{"a domain of two", "ada@acme.example", "ACME SHARED", "Other ways to sign in"},
		{"nobody's domain", "ada@delta.example", everyone, "No way to sign in is known for addresses at delta.example."},
		{"an address of somebody who is known, of nobody's domain", "ada@idp.example", everyone, "No way to sign in is known for addresses at idp.example."},
		{"no address", "ada", everyone, "This is not an e-mail address"},
		{"nothing", "", everyone, "This is not an e-mail address"},
		{"markup", `<b>@beta.example`, everyone, "This is not an e-mail address"},
		{"too long", strings.Repeat("a", 400) + "@beta.example", everyone, "This is not an e-mail address"},
		{"two lines", "ada\nBcc:@beta.example", everyone, "This is not an e-mail address"},
	} {
		all := federation()
		w := newWorld(t, all...)
		if page := w.authorize(hinted("hint")); !strings.Contains(page.Body.String(), `name="email"`) {
			t.Fatalf("there is no field: %s", page.Body)
		}
		answer := w.get(t.Context(), w.chooserOf()+"&email="+url.QueryEscape(row.typed))
		if got := outcome(answer); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if !strings.Contains(answer.Body.String(), row.says) || strings.Contains(answer.Body.String(), "<b>@") {
			t.Errorf("%s: the page does not say %q, or repeats markup: %s", row.name, row.says, answer.Body)
		}
		if asked := all[1].asked; strings.HasPrefix(row.want, "at ") && (len(asked) != 1 || asked[0].LoginHint != "ada@beta.example") {
			t.Errorf("%s: asked %+v", row.name, asked)
		}
		if log := w.log.String(); row.typed != "" && strings.Contains(log, "ada@") {
			t.Errorf("%s: the log has the address: %s", row.name, log)
		}
	}
}

// An address goes to the upstreams it belongs to, on both ways, and to no other.
func TestATypedAddressIsToldToItsOwnAlone(t *testing.T) {
	t.Parallel()
	all := federation()
	w := newWorld(t, all...)
	w.authorize(hinted("hint"))
	_, links := listed(w.get(t.Context(), w.chooserOf()+"&email=ada@acme.example"))
	if len(links) != 2 {
		t.Fatalf("links %q", links)
	}
	for _, link := range links {
		if strings.Contains(link, "acme.example") {
			t.Errorf("the address is in the link %s", link)
		}
	}
	w.get(t.Context(), strings.Replace(w.chooserOf(), "/login?", "/login/public?", 1))
	if got := all[2].asked[0].LoginHint; got != "hint" {
		t.Errorf("another upstream was told %q", got)
	}
	w.get(t.Context(), w.answer(w.get(t.Context(), local(t, links[1]))))
	if asked, judged := all[1].asked[0].LoginHint, all[1].answered[0].LoginHint; asked != "ada@acme.example" || judged != asked {
		t.Errorf("its own upstream was told %q, and judged by %q", asked, judged)
	}
}

// The field is there where an address can tell something.
func TestTheAddressIsAskedForWhereItTells(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		all   []*scripted
		typed string
		want  bool
	}{
		{"one has domains", []*scripted{upstream("a"), upstream("b", "b.example")}, "", true},
		{"none has", []*scripted{upstream("a"), upstream("b")}, "", false},
		{"only those are left that the address belongs to", []*scripted{upstream("a", "b.example"), upstream("b", "b.example"), upstream("c")}, "ada@b.example", false},
	} {
		w := newWorld(t, row.all...)
		page := w.authorize(plainRequest)
		if row.typed != "" {
			page = w.get(t.Context(), w.chooserOf()+"&email="+row.typed)
		}
		if got := strings.Contains(page.Body.String(), `name="email"`); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
	w := newWorld(t, upstream("a"), upstream("b"))
	w.authorize(plainRequest)
	if answer := w.get(t.Context(), w.chooserOf()+"&email=ada@b.example"); strings.Contains(answer.Body.String(), "b.example") {
		t.Error("an answer to what was not asked")
	}
}

// The form keeps what the page was for: signing in with another account.
func TestTheAddressFieldKeepsAnotherAccount(t *testing.T) {
	t.Parallel()
	all := federation()
	w := newWorld(t, all...)
	w.authorize(plainRequest)
	page := w.get(t.Context(), w.chooserOf()+"&account=other")
	if !strings.Contains(page.Body.String(), `<input type="hidden" name="account" value="other">`) {
		t.Errorf("the form forgets the account: %s", page.Body)
	}
	w.get(t.Context(), w.chooserOf()+"&account=other&email=ada@beta.example")
	if asked := all[1].asked; len(asked) != 1 || !asked[0].SelectAccount {
		t.Errorf("asked %+v", asked)
	}
	if _, there := w.cookies[httpx.CookieName(w.endpoint.Desk.Issuer, "last")]; there {
		t.Error("a visit is remembered")
	}
}
