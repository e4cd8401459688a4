package demo

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// application is an OpenID Connect relying party, written as any other would be.
type application struct {
	// Name is what people call it; Purpose one sentence on what it shows.
	Name, Purpose string
	// Admits are the groups whose members the broker lets in; none means everybody.
	Admits []string
	// Base is its own address with a slash at the end. Its redirect URI is callback
	// below that.
	Base                           string
	Issuer, ClientID, ClientSecret string
	// HTTP reaches the broker.
	HTTP *http.Client
	Log  *slog.Logger
	Now  func() time.Time

	sessions sessions
	mu       sync.Mutex
	known    *upstream
}

// upstream is what the application has learnt of the broker by discovery.
type upstream struct {
	provider *oidc.Provider
	metadata struct {
		EndSession     string   `json:"end_session_endpoint"`
		ResponseIssuer bool     `json:"authorization_response_iss_parameter_supported"`
		Algorithms     []string `json:"id_token_signing_alg_values_supported"`
		Scopes         []string `json:"scopes_supported"`
	}
}

func (a *application) redirectURI() string  { return a.Base + "callback" }
func (a *application) signedOutURI() string { return a.Base + "signed-out" }
func (a *application) scopes() []string {
	return []string{"openid", "profile", "email", "groups", "offline_access"}
}
func (a *application) at(path string) string { return a.path() + path }

func (a *application) host() string {
	_, rest, _ := strings.Cut(a.Base, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// path is the path of Base: "/" or "/second/".
func (a *application) path() string { return "/" + strings.SplitN(a.Base, "/", 4)[3] }

// discover reads the broker's metadata, once it can be had. Its keys are
// fetched, and fetched again when they change, by go-oidc.
func (a *application) discover(ctx context.Context) (*upstream, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known != nil {
		return a.known, nil
	}
	// The provider keeps the client of this context for its keys, and must not keep
	// the request's own end.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), a.HTTP)
	p, err := oidc.NewProvider(ctx, a.Issuer)
	if err != nil {
		return nil, fmt.Errorf("reading the broker's discovery document: %w", err)
	}
	u := &upstream{provider: p}
	if err := p.Claims(&u.metadata); err != nil {
		return nil, fmt.Errorf("reading the broker's discovery document: %w", err)
	}
	a.known = u
	return u, nil
}

func (a *application) oauth(u *upstream) *oauth2.Config {
	endpoint := u.provider.Endpoint()
	// Left to find out, x/oauth2 answers every refusal by trying again in another
	// style, and reports the refusal of that.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret, RedirectURL: a.redirectURI(),
		Endpoint: endpoint, Scopes: a.scopes(),
	}
}

// client puts the application's HTTP client into a context, for x/oauth2 and go-oidc.
func (a *application) client(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, a.HTTP)
}

// passOn are the parameters of the application's own sign-in link that it adds
// to the request, so that they can be tried.
func passOn() []string { return []string{"prompt", "max_age", "login_hint", "idp_hint"} }

// login sends the browser to the broker with state, nonce and a PKCE challenge
// of its own (RFC 9700 §2.1).
func (a *application) login(w http.ResponseWriter, r *http.Request) {
	u, err := a.discover(r.Context())
	if err != nil {
		a.brokerUnreachable(w, r, err)
		return
	}
	begun := attempt{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	a.begin(w, r, begun)
	options := []oauth2.AuthCodeOption{oidc.Nonce(begun.nonce), oauth2.S256ChallengeOption(begun.verifier)}
	for _, name := range passOn() {
		if value := r.FormValue(name); value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	http.Redirect(w, r, a.oauth(u).AuthCodeURL(begun.state, options...), http.StatusSeeOther)
}

// logout ends the application's own session, then the broker's (OpenID Connect
// RP-Initiated Logout §2).
func (a *application) logout(w http.ResponseWriter, r *http.Request) {
	var idToken string
	a.with(r, func(s *session) {
		if s != nil && s.person != nil {
			idToken = s.person.idToken
		}
	})
	a.replace(w, r, &session{})
	u, err := a.discover(r.Context())
	if err != nil {
		a.brokerUnreachable(w, r, err)
		return
	}
	end, err := url.Parse(u.metadata.EndSession)
	if idToken == "" || u.metadata.EndSession == "" || err != nil {
		a.notify(w, r, notice{Good: true, Title: "You are signed out of " + a.Name, Text: "The broker still knows you: the next sign-in, here or elsewhere, may not ask."})
		return
	}
	q := end.Query()
	q.Set("id_token_hint", idToken)
	q.Set("post_logout_redirect_uri", a.signedOutURI())
	q.Set("client_id", a.ClientID)
	end.RawQuery = q.Encode()
	http.Redirect(w, r, end.String(), http.StatusSeeOther)
}

// signedOut is where the broker sends the browser after signing out. Anybody
// can link to it: it ends nothing, and says nothing that is not so.
func (a *application) signedOut(w http.ResponseWriter, r *http.Request) {
	if _, err := a.current(r); err == nil {
		http.Redirect(w, r, a.Base, http.StatusSeeOther)
		return
	}
	a.notify(w, r, notice{Good: true, Title: "You are signed out", Text: "Of " + a.Name + " and of the broker: signing in to any application asks again. The upstream provider may still know you; its list of people appears again when you ask it to (prompt=select_account)."})
}

// notify shows a notice on the application's own page, by way of a redirect, so
// that reloading repeats nothing.
func (a *application) notify(w http.ResponseWriter, r *http.Request, n notice) {
	kept := false
	a.with(r, func(s *session) {
		if kept = s != nil; kept {
			s.notice = &n
		}
	})
	if !kept {
		a.replace(w, r, &session{notice: &n})
	}
	http.Redirect(w, r, a.Base, http.StatusSeeOther)
}

func (a *application) brokerUnreachable(w http.ResponseWriter, r *http.Request, err error) {
	a.Log.Warn("sample application: the broker does not answer", "application", a.ClientID, "error", err)
	a.notify(w, r, notice{Title: "The broker does not answer", Text: "The application could not read its discovery document. Is it still running?"})
}
