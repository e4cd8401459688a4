package mint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/broker/policy"
)

// ErrLint: a payload that must not be signed. It is a mistake in the program, or in what somebody managed to put into
// a record; the caller answers server_error.
var ErrLint = errors.New("mint: payload refused before signing")

// linter checks payloads just before they are signed. It reads the finished JSON with the strict reader that guards the
// way in, and shares no code with what writes it: a claim that got in by a slip of escaping or by a profile is seen.
type linter struct {
	issuer      string
	maxLifetime time.Duration
	kinds       []kind
}

func newLinter(issuer string, maxLifetime time.Duration) linter {
	return linter{issuer: issuer, maxLifetime: maxLifetime, kinds: kinds()}
}

// intent is whom a token is to be about and for, said again.
type intent struct {
	subject, clientID string
	// machine says that there is no person behind it, and no grant.
	machine bool
	// exchanged says that the client is not, or need not be, the grant's. issuer is the ID of the external issuer of
	// a workload.
	exchanged bool
	issuer    string
	// hidden is the account ID that the client must not learn, because it knows people by pairwise subjects.
	hidden string
}

// kind is what the JWTs of one typ consist of.
type kind struct {
	typ     string
	machine bool
	// exchanged and workload are as in intent.
	exchanged, workload bool
	// endless kinds have no exp and no auth_time; answers have no sub either, but token_introspection.
	endless, answer bool
	// required claims, and optional ones. There are no others.
	required, optional []string
	// client is the claim that names the client.
	client string
}

// kinds are the closed list of what is signed.
func kinds() []kind {
	return []kind{{
		typ:      accessTokenType, // RFC 9068 §2.2
		required: []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "auth_time", "grant_id"},
		optional: []string{"scope", "acr", "amr", "sid", "may_act"},
		client:   "client_id",
	}, {
		typ: accessTokenType, exchanged: true, // RFC 8693 §2.2.1, about a person
		required: []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "client_epoch", "auth_time", "grant_id"},
		optional: []string{"scope", "acr", "amr", "sid", "act"},
		client:   "client_id",
	}, {
		typ: accessTokenType, machine: true, workload: true, // RFC 8693 §2.2.1, RFC 7523 §2.1, about a workload
		required: []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "client_epoch", "external_issuer"},
		optional: []string{"scope", "act"},
		client:   "client_id",
	}, {
		typ: accessTokenType, machine: true, // RFC 9068 §2.2, of a client itself: RFC 6749 §4.4
		required: []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "client_epoch"},
		optional: []string{"scope"},
		client:   "client_id",
	}, {
		typ:      userInfoType, // OpenID Connect Core §5.3.2
		required: []string{"iss", "sub", "aud", "iat"},
		optional: []string{"name", "given_name", "family_name", "preferred_username", "picture", "locale", "email", "email_verified", "groups"},
		client:   "aud",
		endless:  true,
	}, {
		typ:      introspectionType, // RFC 9701 §5
		required: []string{"iss", "aud", "iat", "token_introspection"},
		client:   "aud",
		endless:  true, answer: true,
	}, {
		typ:      idTokenType, // OpenID Connect Core §2, §5.1
		required: []string{"iss", "sub", "aud", "exp", "iat", "auth_time"},
		optional: []string{"nonce", "acr", "amr", "azp", "sid", "at_hash", "c_hash", "name", "given_name", "family_name",
			"preferred_username", "picture", "locale", "email", "email_verified", "groups"},
		client: "aud",
	}}
}

func (l linter) check(typ string, payload []byte, i intent) error {
	members, err := jose.StrictObject(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLint, err)
	}
	if i.hidden != "" && bytes.Contains(payload, []byte(i.hidden)) { // Core §8.1: not reversible by anybody but us
		return refused("one", "names the account to a client that knows it by a pairwise subject")
	}
	for j := range l.kinds {
		if k := &l.kinds[j]; k.typ == typ && k.machine == i.machine && k.exchanged == i.exchanged && k.workload == (i.issuer != "") {
			return l.checkKind(k, members, i)
		}
	}
	return refused("typ", "is not one that is signed here")
}

func (l linter) checkKind(k *kind, members map[string]json.RawMessage, i intent) error {
	found := 0
	for name := range members {
		switch {
		case slices.Contains(k.required, name):
			found++
		case !slices.Contains(k.optional, name):
			return refused(name, "has no place in it")
		}
	}
	if found != len(k.required) {
		return refused("one", "that is required is missing")
	}
	var iss string
	if json.Unmarshal(members["iss"], &iss) != nil || iss != l.issuer {
		return refused("iss", "is not ours")
	}
	audience, ok := audienceOf(members["aud"])
	if !ok {
		return refused("aud", "is empty or not text")
	}
	if named, ok := audienceOf(members[k.client]); !ok || named[0] != i.clientID {
		return refused(k.client, "is not the client's")
	}
	if _, ok := members["azp"]; k.client == "aud" && ok != (len(audience) > 1) {
		return refused("azp", "goes with several audiences and only with them")
	}
	if k.answer {
		if err := l.checkAnswer(members["token_introspection"]); err != nil {
			return err
		}
	} else if err := k.checkSubject(members, i); err != nil {
		return err
	}
	return l.checkTimes(k, members)
}

// checkSubject: whom it is about, and who acts for that one.
func (k *kind) checkSubject(members map[string]json.RawMessage, i intent) error {
	var sub string
	if json.Unmarshal(members["sub"], &sub) != nil || sub != i.subject || !policy.ValidSubject(sub) {
		return refused("sub", "is not the grant's, or not 1 to 255 printable ASCII characters")
	}
	if k.machine && !k.workload && i.subject != i.clientID {
		return refused("sub", "is not the client, and there is nobody else")
	}
	if _, _, ok := actorsOf(members); !ok {
		return refused("act", "or may_act is not a chain of at most five subjects")
	}
	if k.workload {
		var issuer string
		if json.Unmarshal(members["external_issuer"], &issuer) != nil || issuer != i.issuer || !strings.HasPrefix(sub, issuer+":") {
			return refused("external_issuer", "is not the one that the subject begins with")
		}
	}
	return nil
}

// checkAnswer: RFC 7662 §2.2, an answer has active, and one that is not active has nothing else. The iss in it is that
// of the token, which is ours.
func (l linter) checkAnswer(raw json.RawMessage) error {
	answer, err := jose.StrictObject(raw)
	if err != nil {
		return refused("token_introspection", "is not an object")
	}
	var active bool
	if string(answer["active"]) == "null" || json.Unmarshal(answer["active"], &active) != nil || !active && len(answer) > 1 {
		return refused("active", "is missing, or has company although it is false")
	}
	var iss string
	if named, ok := answer["iss"]; ok && (json.Unmarshal(named, &iss) != nil || iss != l.issuer) {
		return refused("iss", "of the token is not ours")
	}
	return nil
}

func (l linter) checkTimes(k *kind, members map[string]json.RawMessage) error {
	var exp, iat, authTime int64 // whole seconds; anything else does not decode
	times := map[string]*int64{"iat": &iat}
	if !k.endless {
		times["exp"] = &exp
	}
	if !k.machine && !k.endless {
		times["auth_time"] = &authTime
	}
	for name, value := range times {
		if json.Unmarshal(members[name], value) != nil || *value <= 0 {
			return refused(name, "is not a positive number of seconds")
		}
	}
	if k.endless {
		return nil
	}
	if exp <= iat || exp-iat > int64(l.maxLifetime/time.Second) {
		return refused("exp", "is not after iat, or too long after it")
	}
	return nil
}

// audienceOf reads a non-empty string or a non-empty array of such.
func audienceOf(raw json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, one != ""
	}
	var several []string
	if json.Unmarshal(raw, &several) != nil || len(several) == 0 || slices.Contains(several, "") {
		return nil, false
	}
	return several, true
}

func refused(claim, why string) error { return fmt.Errorf("%w: claim %s %s", ErrLint, claim, why) }
