package connectors

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// Redeem exchanges an authorization code with its PKCE verifier at
// config.Endpoint. It returns the token endpoint's answer as well, success or
// not: what x/oauth2 makes of it is lenient, so the caller reads the answer
// through the strict door and says what a refusal means. The token is nil if
// there is none in the answer. Errors are those of Do.
func (f *Fetcher) Redeem(ctx context.Context, config *oauth2.Config, code, verifier string) (*oauth2.Token, Answer, error) {
	rec := &recorder{fetcher: f}
	// x/oauth2 takes its client from the context and nothing else from it.
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: rec, CheckRedirect: refuseRedirect})
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	switch {
	case rec.err != nil:
		return nil, Answer{}, rec.err
	case rec.answer.Status == 0:
		// Nothing was sent: the context ended first, or the endpoint is no URL.
		return nil, Answer{}, unreachable(&url.URL{}, err)
	case err != nil:
		return nil, rec.answer, nil
	}
	return token, rec.answer, nil
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// recorder is the transport of one code exchange. It keeps the whole answer, so
// that it can be read a second time and strictly.
type recorder struct {
	fetcher *Fetcher
	answer  Answer
	err     error
}

// RoundTrip implements http.RoundTripper within the Fetcher's limits.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	// A round tripper may not change the request it is given.
	r.answer, r.err = r.fetcher.Do(req.Clone(req.Context()), MaxDocument)
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
