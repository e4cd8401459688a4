package connectors

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// Exchange is one request to a token endpoint: with Code and Verifier the grant of
// RFC 6749 §4.1.3, with RefreshToken that of §6.
type Exchange struct {
	Config       *oauth2.Config
	Code         string
	Verifier     string // PKCE
	RefreshToken string
	// Params are sent besides, such as a client_assertion (RFC 7521 §4.2).
	Params url.Values
}

// Exchange asks the token endpoint once. It returns its answer as well, success or
// not: what x/oauth2 makes of it is lenient, so the caller reads the answer
// through the strict door and says what a refusal means. The token is nil if
// there is none in the answer. Errors are those of Do.
func (f *Fetcher) Exchange(ctx context.Context, x Exchange) (*oauth2.Token, Answer, error) {
	rec := &recorder{fetcher: f, params: x.Params}
	// x/oauth2 takes its client from the context and nothing else from it.
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: rec, CheckRedirect: refuseRedirect})
	var token *oauth2.Token
	var err error
	if x.RefreshToken != "" {
		token, err = x.Config.TokenSource(ctx, &oauth2.Token{RefreshToken: x.RefreshToken}).Token()
	} else {
		token, err = x.Config.Exchange(ctx, x.Code, oauth2.VerifierOption(x.Verifier))
	}
	switch {
	case rec.err != nil:
		return nil, Answer{}, rec.err
	case rec.answer.Status == 0:
		// Nothing was sent: the context ended first, or the endpoint is no URL.
		e := unreachable(&url.URL{}, err)
		e.Unspent = true
		return nil, Answer{}, e
	case err != nil:
		return nil, rec.answer, nil
	}
	return token, rec.answer, nil
}

// Redeem exchanges an authorization code with its PKCE verifier, as Exchange does.
func (f *Fetcher) Redeem(ctx context.Context, config *oauth2.Config, code, verifier string) (*oauth2.Token, Answer, error) {
	return f.Exchange(ctx, Exchange{Config: config, Code: code, Verifier: verifier})
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// recorder is the transport of one code exchange. It keeps the whole answer, so
// that it can be read a second time and strictly.
type recorder struct {
	fetcher *Fetcher
	params  url.Values
	answer  Answer
	err     error
}

// RoundTrip implements http.RoundTripper within the Fetcher's limits.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	// A round tripper may not change the request it is given.
	own := req.Clone(req.Context())
	if r.err = addParams(own, r.params); r.err != nil {
		return nil, r.err
	}
	r.answer, r.err = r.fetcher.Do(own, MaxDocument)
	if r.err != nil {
		return nil, r.err
	}
	header := r.answer.Header
	if bytes.HasPrefix(bytes.TrimSpace(r.answer.Body), []byte("{")) {
		// A server that sends JSON without saying so says text/plain, and x/oauth2 takes
		// that for a form. No form begins like this.
		header = header.Clone()
		header.Set("Content-Type", "application/json")
	}
	return &http.Response{
		Status: http.StatusText(r.answer.Status), StatusCode: r.answer.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(r.answer.Body)),
		ContentLength: int64(len(r.answer.Body)), Request: req,
	}, nil
}

// addParams adds parameters to the form that a request carries.
func addParams(req *http.Request, params url.Values) error {
	if len(params) == 0 {
		return nil
	}
	malformed := &Error{Kind: Broken, Hint: "the token request cannot be made", Unspent: true}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return malformed
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return malformed
	}
	maps.Copy(form, params)
	encoded := form.Encode()
	req.ContentLength = int64(len(encoded))
	// The transport takes GetBody where a connection turns out to be closed.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(encoded)), nil }
	req.Body, err = req.GetBody()
	return err
}
