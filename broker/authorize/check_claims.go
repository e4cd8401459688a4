package authorize

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
	"gatehouse/broker/policy"
)

const (
	// maxClaims bounds the parameter claims (AZ-14).
	maxClaims = 8 << 10
	// maxSubject is the longest sub there may be (Core §2).
	maxSubject = 255
)

// conditions are the two claims of the parameter claims (Core §5.5) whose value is a
// condition of any answer.
type conditions struct {
	IDToken struct {
		ACR     *requestedClaim `json:"acr"`
		Subject *requestedClaim `json:"sub"`
	} `json:"id_token"`
	UserInfo struct {
		Subject *requestedClaim `json:"sub"`
	} `json:"userinfo"`
}

// members are the names in it. What the client says of one (essential, value, values)
// is voluntary to us but for the conditions: even essential claims may be left out
// (Core §5.5.1).
type members struct {
	IDToken  map[string]json.RawMessage `json:"id_token"`
	UserInfo map[string]json.RawMessage `json:"userinfo"`
}

// requestedClaim is one member of it; null asks for the claim and no more.
type requestedClaim struct {
	Essential bool     `json:"essential"`
	Value     string   `json:"value"`
	Values    []string `json:"values"`
}

func (c *requestedClaim) values() []string {
	switch {
	case c == nil:
		return nil
	case c.Value != "" && !slices.Contains(c.Values, c.Value):
		return append([]string{c.Value}, c.Values...)
	}
	return c.Values
}

// checkClaims reads the parameter claims. What cannot be read is refused rather than
// ignored, as it may have held a condition.
func (q *request) checkClaims(context.Context) *oauth.Error {
	var asked conditions
	var named members
	if raw := q.params.Get("claims"); raw != "" {
		if len(raw) > maxClaims {
			return oauth.Errorf(oauth.InvalidRequest, "claims is too long")
		}
		err := jose.StrictUnmarshal([]byte(raw), &asked)
		if err == nil {
			err = jose.StrictUnmarshal([]byte(raw), &named)
		}
		if err != nil {
			// The error may hold pieces of the parameter, which can name people.
			return oauth.Errorf(oauth.InvalidRequest, "claims is not a sound JSON object")
		}
	}
	if err := q.claimsSubject(append(asked.IDToken.Subject.values(), asked.UserInfo.Subject.values()...)); err != nil {
		return err
	}
	_, acr := named.IDToken["acr"]
	if err := q.claimsACR(asked.IDToken.ACR, acr); err != nil {
		return err
	}
	return q.claimsByName(named)
}

// claimsByName keeps the names of the claims that the client may have: those of scopes
// that it may have. Others are ignored (Core §5.5), and so is what no token of this
// response type could bring, so that nobody is asked for consent to it.
func (q *request) claimsByName(named members) *oauth.Error {
	kind, granted := q.out.ResponseType, q.out.Scopes
	if !granted.Has(oauth.OpenID) {
		return nil // neither an ID token nor userinfo
	}
	var err *oauth.Error
	if kind.Has(oauth.ResponseTypeCode) || kind.Has(oauth.ResponseTypeIDToken) {
		// Those of granted scopes too: the client's ID tokens may be minimal.
		if q.out.Claims.IDToken, err = q.namesOf(named.IDToken, nil); err != nil {
			return err
		}
	}
	if kind.Has(oauth.ResponseTypeCode) || kind.Has(oauth.ResponseTypeToken) {
		// Core §5.5: userinfo needs an access token.
		q.out.Claims.UserInfo, err = q.namesOf(named.UserInfo, granted)
	}
	return err
}

// namesOf are the names that count, but for those that scopes bring anyway. Their
// number is bounded by that of the claims there are: they travel in a cookie.
func (q *request) namesOf(named map[string]json.RawMessage, granted oauth.Scopes) ([]string, *oauth.Error) {
	var out []string
	for _, name := range policy.ClaimNames() {
		raw, there := named[name]
		if !there {
			continue
		}
		if text := string(raw); text != "null" && !strings.HasPrefix(text, "{") {
			return nil, oauth.Errorf(oauth.InvalidRequest, "claims has a member that is neither null nor an object")
		}
		if scope := policy.ClaimScope(name); q.may(scope) && !granted.Has(scope) {
			out = append(out, name)
		}
	}
	return out, nil
}

// may reports whether there is such a scope and the client may ask for it.
func (q *request) may(scope string) bool {
	return q.endpoint.Supported.Has(scope) && (len(q.client.Scopes) == 0 || q.client.Scopes.Has(scope))
}

// claimsSubject: whoever is not the person with this sub gets no answer (Core
// §3.1.2.2, AZ-14).
func (q *request) claimsSubject(subjects []string) *oauth.Error {
	for _, sub := range subjects {
		if sub == "" || len(sub) > maxSubject || q.out.HintSubject != "" && q.out.HintSubject != sub {
			return oauth.Errorf(oauth.InvalidRequest, "claims and id_token_hint name no sub, or more than one")
		}
		q.out.HintSubject = sub
	}
	return nil
}

// claimsACR reads the levels the client needs, or would like (Core §5.5.1.1). They
// stand before those of acr_values; both at once is unspecified. Either, also a claim
// without values, stands before the client's default_acr_values (Registration §2).
func (q *request) claimsACR(acr *requestedClaim, named bool) *oauth.Error {
	levels := acr.values()
	if len(levels) == 0 {
		if !named && !q.params.Has("acr_values") {
			q.out.ACRValues = slices.Clone(q.client.DefaultACRValues)
		}
		return nil
	}
	if err := checkLevels("claims", levels); err != nil {
		return err
	}
	q.out.ACRValues, q.out.EssentialACR = levels, acr.Essential
	return nil
}

// checkLevels bounds what travels in the browser's cookie and to the upstream, where
// spaces would make several of one.
func checkLevels(parameter string, levels []string) *oauth.Error {
	if len(levels) > maxACRValues {
		return oauth.Errorf(oauth.InvalidRequest, "%s has too many acr values", parameter)
	}
	for _, v := range levels {
		if v == "" || len(v) > maxACRLength || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return oauth.Errorf(oauth.InvalidRequest, "%s has an acr value that is empty, too long or not one word", parameter)
		}
	}
	return nil
}
