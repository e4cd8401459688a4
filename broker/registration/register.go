package registration

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/metadata"
	"gatehouse/broker/oauth"
)

// What an event's detail says of an admission without the name of a token.
const (
	detailOpen  = "open"
	detailToken = "initial_access_token"
)

// unproven is how long a client that anybody may have registered is kept until it is
// used for the first time: what a flood of registrations leaves behind is gone in a
// day.
const unproven = 24 * time.Hour

// maxTries is how many random IDs may turn out to be taken, which is none but for a
// broken source of randomness.
const maxTries = 3

// register answers POST /register.
func (e *Endpoint) register(v *visit) error {
	quota, err := e.admitClient(v)
	if err != nil {
		return err
	}
	d, err := readDocument(v.w, v.r)
	if err != nil {
		return err
	}
	r := broker.Registration{Revision: 1, CreatedAt: v.now, UsedAt: v.now, Unused: e.Policy.Unused}
	if !v.presented && (r.Unused <= 0 || r.Unused > unproven) {
		r.Unused = unproven // the first use gives it what the policy gives
	}
	if r.Metadata, err = e.accept(v, &d.Metadata); err != nil {
		return err
	}
	token := newToken()
	r.AccessToken = broker.DigestOf(token)
	secret := equip(&r, oauth.AuthMethod(d.Metadata.AuthMethod))
	v.event.Type = broker.EventClientRegistered
	if err := e.store(v, &r, quota); err != nil {
		return err
	}
	e.Audit.Committed(v.ctx(), v.event)
	return e.write(v.w, http.StatusCreated, &r, token, secret)
}

// admitClient decides who may register (RFC 7591 §3).
func (e *Endpoint) admitClient(v *visit) (*broker.Quota, error) {
	if !v.presented && e.Policy.Open {
		v.event.Detail = detailOpen
		return nil, nil
	}
	t, ok := e.Policy.token(v.token, v.now)
	if !ok {
		return nil, unauthorized(nil)
	}
	if wait, ok := e.PerToken.Allow(hex.EncodeToString(t.Digest[:])); !ok {
		return nil, oauth.Errorf(oauth.TemporarilyUnavailable, "too many registrations with this token").WithRetryAfter(wait)
	}
	v.event.Detail = cmp.Or(t.Name, detailToken)
	if t.Limit == 0 {
		return nil, nil
	}
	return &broker.Quota{Token: t.Digest, Limit: t.Limit}, nil
}

// accept judges a document, of a registration and of an update alike, and returns the
// metadata as they are to be stored, with defaults filled in.
func (e *Endpoint) accept(v *visit, m *metadata.Client) ([]byte, error) {
	if err := e.narrowScope(m); err != nil {
		return nil, err
	}
	// A preflight names an origin and no client: which origins scripts may call from is
	// known for configured clients alone, so nobody is told that theirs is registered.
	m.WebOrigins = nil
	sortResponseTypes(m)
	*m = m.WithRegistrationDefaults()
	problems := checkStranger(m)
	problems = append(problems, m.Validate(metadata.Rules{Scopes: e.Policy.Scopes})...)
	if len(problems) == 0 {
		problems = append(e.Policy.check(m), checkPairwise(m)...)
	}
	if err := refusal(problems); err != nil {
		return nil, err
	}
	if err := e.checkSector(v.ctx(), m); err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// narrowScope replaces scope by what of it can be had (RFC 7591 §2): all that can be
// had where nothing is asked for by name.
func (e *Endpoint) narrowScope(m *metadata.Client) error {
	scopes := e.Policy.Scopes
	if m.Scope != nil {
		asked, err := oauth.ParseScopes(*m.Scope)
		if err != nil {
			return oauth.Errorf(oauth.InvalidClientMetadata, "%s", oauth.From(err).Description)
		}
		scopes = asked.Intersect(scopes)
	}
	if len(scopes) == 0 { // and not "no restriction", which the empty set is elsewhere
		return oauth.Errorf(oauth.InvalidClientMetadata, "scope has nothing that a registered client may have")
	}
	text := scopes.String()
	m.Scope = &text
	return nil
}

// sortResponseTypes spells response types as the specifications do: they are sets (RFC
// 6749 §3.1.1).
func sortResponseTypes(m *metadata.Client) {
	for i, t := range m.ResponseTypes {
		if canonical, err := oauth.ParseResponseType(t); err == nil {
			m.ResponseTypes[i] = string(canonical)
		}
	}
}

// refusal says which members are wrong and why (RFC 7591 §3.2.2).
func refusal(problems []metadata.Problem) error {
	if len(problems) == 0 {
		return nil
	}
	code := oauth.InvalidClientMetadata
	var said []string
	for _, p := range problems {
		if strings.HasPrefix(p.Member, "redirect_uris") {
			code = oauth.InvalidRedirectURI
		}
		said = append(said, p.Member+" "+p.Message)
	}
	return oauth.Errorf(code, "%s", strings.Join(said, "; "))
}

// store registers under a new ID.
func (e *Endpoint) store(v *visit, r *broker.Registration, quota *broker.Quota) error {
	for range maxTries {
		r.ClientID = newID()
		if e.Taken(r.ClientID) {
			continue
		}
		v.event.ClientID = r.ClientID
		err := e.Registrations.Register(v.ctx(), *r, quota, v.event)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, broker.ErrExists):
		case errors.Is(err, broker.ErrExhausted):
			return unauthorized(err)
		default:
			return fault(err)
		}
	}
	return fault(broker.ErrExists)
}
