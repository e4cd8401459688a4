package google

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/connectors"
)

// attached is the account that the machine itself runs as at Google ("About VM
// metadata").
type attached struct{ *account }

func (m attached) address(ctx context.Context) (string, error) {
	if m.config.Email != "" {
		return m.config.Email, nil
	}
	answer, err := m.ask(ctx, "email")
	if err != nil {
		return "", err
	}
	address := strings.TrimSpace(string(answer.Body))
	if _, ok := connectors.EmailDomain(address); !ok {
		return "", broken("the metadata server names no service account")
	}
	return address, nil
}

func (m attached) access(ctx context.Context, scope string) (issued, error) {
	answer, err := m.ask(ctx, "token?scopes="+url.QueryEscape(scope))
	if err != nil {
		return issued{}, err
	}
	return m.readToken(answer, "the metadata server")
}

func (m attached) sign(ctx context.Context, claims assertion) (string, error) {
	own, err := m.access(ctx, cloudScope)
	if err != nil {
		return "", err
	}
	return m.signRemotely(ctx, own.token, claims)
}

func (m attached) ask(ctx context.Context, what string) (connectors.Answer, error) {
	address := baseURL(m.config.MetadataURL, publicMetadataURL) + "/computeMetadata/v1/instance/service-accounts/default/" + what
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return connectors.Answer{}, broken("metadata_url is not a URL")
	}
	if proxy, err := http.ProxyFromEnvironment(req); err != nil || proxy != nil {
		return connectors.Answer{}, &connectors.Error{Kind: connectors.Operator, Hint: "a proxy would see the machine's credentials: exempt the metadata server in NO_PROXY"}
	}
	req.Header.Set("Metadata-Flavor", "Google")
	answer, err := m.fetcher.Do(req, connectors.MaxDocument)
	if err != nil {
		e := asError(err)
		if e.Kind == connectors.Transient {
			e.Hint += ": off Google's platform there is no metadata server; name a credentials file"
		}
		return answer, e
	}
	switch {
	case connectors.StatusKind(answer.Status) == connectors.Transient:
		return answer, &connectors.Error{Kind: connectors.Transient, Hint: fmt.Sprintf("the metadata server answered with status %d", answer.Status)}
	case !answer.OK():
		return answer, &connectors.Error{Kind: connectors.Operator, Hint: fmt.Sprintf("the metadata server answered with status %d: does the machine run as a service account?", answer.Status)}
	case answer.Header.Get("Metadata-Flavor") != "Google":
		return answer, broken("what answered in place of the metadata server is another one")
	}
	return answer, nil
}
