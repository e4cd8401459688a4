package google

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// maxSubjectToken bounds a workload's own token, in bytes.
const maxSubjectToken = 64 << 10

// federated is an account without a key of ours: a workload outside Google becomes
// it by a token of its own platform ("Workload Identity Federation").
type federated struct {
	*account
	config *external
}

func (f federated) address(context.Context) (string, error) {
	return cmp.Or(f.account.config.Email, f.config.address()), nil
}

func (f federated) sign(ctx context.Context, claims assertion) (string, error) {
	own, err := f.access(ctx, cloudScope)
	if err != nil {
		return "", err
	}
	return f.signRemotely(ctx, own.token, claims)
}

// access exchanges the platform's token at Google's Security Token Service, and the
// answer for a token of the service account. The library does both; it speaks
// through our Fetcher and never sees where the platform's token comes from.
func (f federated) access(ctx context.Context, scope string) (issued, error) {
	s := &supplier{config: f.config, fetcher: f.fetcher}
	wire := &wire{fetcher: f.fetcher}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: wire})
	source, err := externalaccount.NewTokenSource(ctx, externalaccount.Config{
		Audience: f.config.audience, SubjectTokenType: f.config.tokenType, TokenURL: f.config.stsURL,
		ServiceAccountImpersonationURL:             f.config.impersonationURL,
		ServiceAccountImpersonationLifetimeSeconds: f.config.lifetime,
		Scopes: []string{scope}, SubjectTokenSupplier: s,
	})
	if err != nil {
		return issued{}, &connectors.Error{Kind: connectors.Operator, Hint: "the credential configuration of the workload cannot be used"}
	}
	token, err := source.Token()
	switch {
	case s.err != nil:
		return issued{}, s.err
	case wire.err != nil:
		return issued{}, wire.err
	case err != nil && wire.answer.Status != 0 && !wire.answer.OK():
		return issued{}, f.refused(wire)
	case err != nil || token.AccessToken == "":
		// The library's text repeats what was sent.
		return issued{}, broken("Google's answer to the workload's token cannot be read")
	case f.config.impersonationURL == "":
		// The library knows the end by a clock of its own.
		return f.readToken(wire.answer, "the Security Token Service")
	}
	return issued{token: token.AccessToken, expires: token.Expiry}, nil
}

// refused tells the two conversations apart by where the last answer came from.
func (f federated) refused(w *wire) *connectors.Error {
	if w.at == f.config.impersonationURL {
		return iamRefused(w.answer, f.now(), f.config.address())
	}
	e := oauthRefusal(w.answer, f.now())
	if e.Kind != connectors.Transient {
		e.Kind = connectors.Operator
		e.Hint = fmt.Sprintf("the workload identity pool does not accept the workload's token (status %d): check the provider's issuer, audience and conditions, and whether the token has expired", w.answer.Status)
	}
	return e
}

// supplier is where a workload's own token comes from: read anew each time, since
// platforms replace it.
type supplier struct {
	config  *external
	fetcher *connectors.Fetcher
	err     *connectors.Error
}

// SubjectToken implements externalaccount.SubjectTokenSupplier.
func (s *supplier) SubjectToken(ctx context.Context, _ externalaccount.SupplierOptions) (string, error) {
	content, err := s.content(ctx)
	if err == nil {
		var token string
		if token, err = s.extract(content); err == nil {
			return token, nil
		}
	}
	s.err = err
	return "", err
}

func (s *supplier) content(ctx context.Context) ([]byte, *connectors.Error) {
	unreadable := &connectors.Error{Kind: connectors.Operator, Hint: "the workload's own token cannot be read from the file that the credential configuration names"}
	if s.config.file != "" {
		content, err := connectors.ReadFile(s.config.file, maxSubjectToken)
		if err != nil {
			return nil, unreadable
		}
		return content, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.config.url, nil)
	if err != nil {
		return nil, broken("credential_source.url is not a URL")
	}
	for name, value := range s.config.headers {
		req.Header.Set(name, value)
	}
	answer, err := s.fetcher.Do(req, maxSubjectToken)
	if err != nil {
		return nil, asError(err)
	}
	if !answer.OK() {
		e := &connectors.Error{Kind: connectors.StatusKind(answer.Status), Hint: fmt.Sprintf("the platform answered the question for the workload's own token with status %d", answer.Status)}
		if e.Kind != connectors.Transient {
			e.Kind = connectors.Operator
		}
		return nil, e
	}
	return answer.Body, nil
}

func (s *supplier) extract(content []byte) (string, *connectors.Error) {
	token := strings.TrimSpace(string(content))
	if s.config.field != "" {
		members, err := jose.StrictObject(content)
		if token = ""; err == nil {
			token = text(members[s.config.field])
		}
	}
	if token == "" || !connectors.IsText(token) {
		return "", &connectors.Error{Kind: connectors.Operator, Hint: "the credential_source holds no token: check its format and subject_token_field_name"}
	}
	return token, nil
}

// text decodes a JSON string; anything else is none.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// wire lets the library speak through the Fetcher, and keeps the last answer: what
// a refusal means is for us to say.
type wire struct {
	fetcher *connectors.Fetcher
	at      string
	answer  connectors.Answer
	err     error
}

// RoundTrip implements http.RoundTripper. A redirect is an error, because the
// library would send its token along.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.at = req.URL.String()
	w.answer, w.err = w.fetcher.Do(req.Clone(req.Context()), connectors.MaxDocument)
	if w.err == nil && w.answer.Status >= 300 && w.answer.Status < 400 {
		w.err = broken("Google's token services answered with a redirect")
	}
	if w.err != nil {
		return nil, w.err
	}
	return &http.Response{
		StatusCode: w.answer.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.answer.Header,
		Body: io.NopCloser(bytes.NewReader(w.answer.Body)), ContentLength: int64(len(w.answer.Body)), Request: req,
	}, nil
}
