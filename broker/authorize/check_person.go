package authorize

import (
	"context"
	"slices"
	"strings"

	"gatehouse/broker/oauth"
	"gatehouse/connectors"
)

const (
	// maxLoginHint is room for any e-mail address (RFC 5321 §4.5.3.1) and more.
	maxLoginHint = 512
	maxACRValues = 20
	maxACRLength = 256
	// maxLanguageTag is what RFC 5646 §4.4.1 has everybody make room for.
	maxLanguageTag = 35
	maxUILocales   = 8
)

// checkPrompt reads what the person is to be asked (Core §3.1.2.1).
func (q *request) checkPrompt(context.Context) *oauth.Error {
	prompt, err := oauth.ParsePrompt(q.params.Get("prompt"))
	if err != nil {
		return oauth.From(err)
	}
	q.out.Prompt = prompt
	return nil
}

// checkMaxAge reads how long ago the person may have authenticated; the client's
// default_max_age stands in for it (Core §3.1.2.1, Registration §2).
func (q *request) checkMaxAge(context.Context) *oauth.Error {
	age, given, err := oauth.ParseMaxAge(q.params.Get("max_age"))
	if err != nil {
		return oauth.From(err)
	}
	if !given && q.client.DefaultMaxAge > 0 {
		age, given = q.client.DefaultMaxAge, true
	}
	q.out.MaxAge, q.out.HasMaxAge = age, given
	return nil
}

// checkLoginHint keeps a hint that can be passed on to an upstream; it selects
// nobody by itself.
func (q *request) checkLoginHint(context.Context) *oauth.Error {
	hint := q.params.Get("login_hint")
	if len(hint) > maxLoginHint || strings.ContainsFunc(hint, control) {
		return oauth.Errorf(oauth.InvalidRequest, "login_hint is too long or has control characters")
	}
	q.out.LoginHint = hint
	return nil
}

// checkIDTokenHint: an ID token of ours, for this client, expired or not (Core
// §3.1.2.1). One that is not is refused rather than ignored: the client relies
// on the answer being about that person.
func (q *request) checkIDTokenHint(ctx context.Context) *oauth.Error {
	hint := q.params.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	subject, client, err := q.endpoint.Hint(ctx, hint)
	if err != nil {
		return oauth.Errorf(oauth.InvalidRequest, "id_token_hint is not an ID token of this issuer").Because(err)
	}
	if client != q.client.ID {
		return oauth.Errorf(oauth.InvalidRequest, "id_token_hint was issued to another client")
	}
	q.out.HintSubject = subject
	return nil
}

// checkACRValues keeps the levels the client would like (Core §3.1.2.1). Whether
// they are more than a wish is for package flow to say.
func (q *request) checkACRValues(context.Context) *oauth.Error {
	values := strings.Fields(q.params.Get("acr_values"))
	if err := checkLevels("acr_values", values); err != nil {
		return err
	}
	q.out.ACRValues = values
	return nil
}

// checkUILocales keeps the language tags that can be passed on to an upstream. What
// is odd is left out: an error should not result (Core §3.1.2.1).
func (q *request) checkUILocales(context.Context) *oauth.Error {
	var tags []string
	for _, tag := range strings.Fields(q.params.Get("ui_locales")) {
		if languageTag(tag) && len(tags) < maxUILocales {
			tags = append(tags, tag)
		}
	}
	q.out.UILocales = strings.Join(tags, " ")
	return nil
}

// languageTag accepts what has the shape of RFC 5646 §2.1: subtags of up to eight
// letters and digits, letters alone first. Which languages there are is for the
// upstream to know.
func languageTag(s string) bool {
	if len(s) > maxLanguageTag {
		return false
	}
	for i, subtag := range strings.Split(s, "-") {
		digit := func(r rune) bool { return r >= '0' && r <= '9' }
		other := func(r rune) bool { return !digit(r) && (r|0x20 < 'a' || r|0x20 > 'z') }
		if subtag == "" || len(subtag) > 8 || strings.ContainsFunc(subtag, other) || i == 0 && strings.ContainsFunc(subtag, digit) {
			return false
		}
	}
	return true
}

// checkConnector reads idp_hint, our own parameter: the connector to go to
// without asking. It must be one the client's people may come from.
func (q *request) checkConnector(context.Context) *oauth.Error {
	id := q.params.Get("idp_hint")
	if id == "" {
		return nil
	}
	known := slices.ContainsFunc(q.endpoint.Upstreams, func(d connectors.Description) bool { return d.ID == id })
	if !known || !q.client.AllowsConnector(id) {
		return oauth.Errorf(oauth.InvalidRequest, "idp_hint names no identity provider of this client")
	}
	q.out.Connector = id
	return nil
}

func control(r rune) bool { return r < 0x20 || r == 0x7f }
