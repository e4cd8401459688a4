package oidc

import (
	"context"
	"mime"
	"slices"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

// wantsUserinfo decides whether the userinfo endpoint is asked.
func (p *Provider) wantsUserinfo(c *Claims, m *metadata) bool {
	switch p.config.Userinfo {
	case UserinfoAlways:
		return true
	case UserinfoNever:
		return false
	}
	if m.UserinfoEndpoint == "" {
		return false
	}
	scopes := p.scopes(m)
	has := func(name string) bool {
		_, _, there := locate(c.ID, name)
		return there != absent
	}
	return slices.Contains(scopes, oauth.Profile) && !has(p.names.Name) ||
		slices.Contains(scopes, oauth.Email) && !(has(p.names.Email) && has(p.names.EmailVerified)) ||
		p.wantsGroups(scopes) && !has(p.names.Groups)
}

// wantsGroups: somebody configured that there are groups to read.
func (p *Provider) wantsGroups(scopes []string) bool {
	return p.config.GroupsClaim != "" || p.config.Claims.Groups != "" || len(p.config.Groups.Allow) > 0 || slices.Contains(scopes, oauth.Groups)
}

// userinfo asks the userinfo endpoint. Its sub must be the ID token's: anything else
// is somebody else's data (OIDC Core §5.3.2).
func (p *Provider) userinfo(ctx context.Context, m *metadata, c *Claims, accessToken string) (*jose.Claims, error) {
	info, err := p.askUserinfo(ctx, m, accessToken)
	if err != nil {
		return nil, err
	}
	if sub, _ := info.String("sub"); sub != c.ID.Subject {
		return nil, broken(nil, "the userinfo answer is about somebody else")
	}
	return info, nil
}

// askUserinfo asks the userinfo endpoint (OIDC Core §5.3). Its answer has a sub.
func (p *Provider) askUserinfo(ctx context.Context, m *metadata, accessToken string) (*jose.Claims, error) {
	if m.UserinfoEndpoint == "" {
		return nil, &connectors.Error{Kind: connectors.Operator, Hint: "the upstream has no userinfo endpoint: set userinfo to auto or never"}
	}
	answer, err := p.fetcher.Get(ctx, m.UserinfoEndpoint, accessToken, connectors.MaxDocument)
	if err != nil {
		p.health.Note(err)
		return nil, err
	}
	if !answer.OK() {
		return nil, p.failed(readFailure(AtUserinfo, answer, p.now()))
	}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == "application/jwt" {
		return nil, &connectors.Error{Kind: connectors.Operator, Hint: "the upstream signs or encrypts its userinfo answers: register the client there for plain JSON"}
	}
	members, err := jose.StrictObject(answer.Body)
	if err != nil {
		return nil, broken(err, "the userinfo answer cannot be read")
	}
	info := &jose.Claims{Raw: members}
	if sub, ok := info.String("sub"); !ok || sub == "" {
		return nil, broken(nil, "the userinfo answer has no sub, so it may be about anybody; type oidc does without it with userinfo: never")
	}
	return info, nil
}
