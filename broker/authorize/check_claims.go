package authorize

import (
	"context"
	"slices"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

const (
	// maxClaims bounds the parameter claims (AZ-14).
	maxClaims = 8 << 10
	// maxSubject is the longest sub there may be (Core §2).
	maxSubject = 255
)

// requestedClaims is what is read of the parameter claims (Core §5.5). Which claims
// a client receives follows from its scopes: the others it names here are
// voluntary to us, as even essential ones may be left out (Core §5.5.1).
type requestedClaims struct {
	IDToken struct {
		ACR     *requestedClaim `json:"acr"`
		Subject *requestedClaim `json:"sub"`
	} `json:"id_token"`
	UserInfo struct {
		Subject *requestedClaim `json:"sub"`
	} `json:"userinfo"`
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

// checkClaims reads the two claims whose value is a condition of any answer: acr and
// sub. What cannot be read is refused rather than ignored, as it may have held one.
func (q *request) checkClaims(context.Context) *oauth.Error {
	raw := q.params.Get("claims")
	if raw == "" {
		return nil
	}
	if len(raw) > maxClaims {
		return oauth.Errorf(oauth.InvalidRequest, "claims is too long")
	}
	var asked requestedClaims
	if err := jose.StrictUnmarshal([]byte(raw), &asked); err != nil {
		// The error may hold pieces of the parameter, which can name people.
		return oauth.Errorf(oauth.InvalidRequest, "claims is not a sound JSON object")
	}
	if err := q.claimsSubject(append(asked.IDToken.Subject.values(), asked.UserInfo.Subject.values()...)); err != nil {
		return err
	}
	return q.claimsACR(asked.IDToken.ACR)
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
// stand before those of acr_values; both at once is unspecified.
func (q *request) claimsACR(acr *requestedClaim) *oauth.Error {
	levels := acr.values()
	if len(levels) == 0 {
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
