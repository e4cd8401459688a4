package oidc

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"gatehouse/connectors"
)

// maxPatience is the longest wish of an API to be left alone (Retry-After) that is
// granted while somebody waits.
const maxPatience = 2 * time.Second

// API is the vendor's API as the person who is signing in may use it.
type API struct {
	fetcher     *connectors.Fetcher
	accessToken string
	now         func() time.Time
	report      *connectors.Report
	metadata    *metadata
}

// Metadata is a member of the discovery document that is text, such as Entra's
// msgraph_host; empty if there is none. Like all of the document it says where to
// ask, and nothing about anybody.
func (a API) Metadata(name string) string {
	if a.metadata == nil {
		return ""
	}
	return text(a.metadata.members[name])
}

// WithToken is the same API with another access token, such as a service account's.
func (a API) WithToken(accessToken string) API {
	a.accessToken = accessToken
	return a
}

// Found says where the groups come from, in words for Report.GroupSource.
func (a API) Found(source string) {
	if a.report != nil {
		a.report.GroupSource = source
	}
}

// Note adds a sentence to Report.Notes.
func (a API) Note(sentence string) {
	if a.report != nil {
		a.report.Notes = append(a.report.Notes, sentence)
	}
}

// Post sends JSON with the access token to an address, which must come from the
// configuration and never from a token. An answer of 429 is asked for once more if
// the API wants no longer a pause than two seconds, and is a Transient error
// otherwise. Other errors are those of connectors.Fetcher.Do.
func (a API) Post(ctx context.Context, address string, body []byte) (connectors.Answer, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	return a.patiently(ctx, func() (*http.Request, error) {
		return a.request(ctx, http.MethodPost, address, header, body)
	})
}

// Get asks for an address with the access token and these headers, which may be
// nil. What is said of Post holds for it too.
func (a API) Get(ctx context.Context, address string, header http.Header) (connectors.Answer, error) {
	return a.patiently(ctx, func() (*http.Request, error) {
		return a.request(ctx, http.MethodGet, address, header, nil)
	})
}

// Paging is a list that comes in pages.
type Paging struct {
	// Address is the first page's. Later ones must be at the same scheme and host, with
	// Prefix before their path; the path of Address when it is empty.
	Address, Prefix string
	Header          http.Header
	// Most is the number of pages that are read at most; connectors.MaxPages when zero.
	Most int
	// Read takes a page in, a refusal too, and returns the address of the next one,
	// empty after the last.
	Read func(page connectors.Answer) (next string, err error)
}

// Pages reads a list to its end and returns the number of pages. A list that is
// longer than allowed has the cause connectors.ErrGroupsIncomplete.
func (a API) Pages(ctx context.Context, p Paging) (int, error) {
	walk := connectors.Walk{First: p.Address, Prefix: p.Prefix, Most: p.Most}
	return walk.Each(ctx, func(ctx context.Context, address string) (string, error) {
		answer, err := a.Get(ctx, address, p.Header)
		if err != nil {
			return "", err
		}
		return p.Read(answer)
	})
}

func (a API) request(ctx context.Context, method, address string, header http.Header, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, broken(nil, "the address of the vendor's API is not a URL")
	}
	for name, values := range header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("Authorization", "Bearer "+a.accessToken)
	return req, nil
}

// patiently asks a second time when the API says to come back in a moment.
func (a API) patiently(ctx context.Context, request func() (*http.Request, error)) (connectors.Answer, error) {
	for attempt := 0; ; attempt++ {
		req, err := request()
		if err != nil {
			return connectors.Answer{}, err
		}
		answer, err := a.fetcher.Do(req, connectors.MaxList)
		if err != nil || answer.Status != http.StatusTooManyRequests {
			return answer, err
		}
		wait := connectors.RetryAfter(answer.Header, a.now())
		if attempt > 0 || wait <= 0 || wait > maxPatience || !connectors.Pause(ctx, wait) {
			return connectors.Answer{}, &connectors.Error{
				Kind: connectors.Transient, Hint: req.URL.Host + " limits our requests", RetryAfter: wait, Unspent: true,
			}
		}
	}
}
