package github

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// user is what is read of /user. Its email is the public profile's, which says
// nothing about who can read mail there, so it is not read.
type user struct {
	ID        int64  `json:"id"`
	Login     string `json:"login"`
	Name      string `json:"name"`
	AvatarURL string `json:"avatar_url"`
}

// identity asks the API who the token's owner is.
func (s *session) identity(ctx context.Context) (broker.Identity, error) {
	u, err := s.user(ctx)
	if err != nil {
		return broker.Identity{}, err
	}
	id := broker.Identity{
		Key: broker.IdentityKey{Connector: s.g.config.ID, Issuer: s.g.base, Subject: strconv.FormatInt(u.ID, 10)},
		Profile: broker.Profile{
			Name: shown(cmp.Or(u.Name, u.Login)), PreferredUsername: shown(u.Login), Picture: shown(u.AvatarURL),
		},
	}
	if s.expect != "" && id.Key.Subject != s.expect {
		return broker.Identity{}, &connectors.Error{Kind: connectors.Gone, Hint: "the token is another account's now"}
	}
	if err := s.address(ctx, &id.Profile); err != nil {
		return broker.Identity{}, err
	}
	groups, unread, err := s.groups(ctx)
	if err != nil {
		return broker.Identity{}, err
	}
	if err := s.g.config.SettleGroups(&id, groups, unread, s.g.log); err != nil {
		return broker.Identity{}, err
	}
	return id, nil
}

// user asks for the token's owner.
func (s *session) user(ctx context.Context) (user, error) {
	const what = "the person"
	var u user
	answer, err := s.get(ctx, s.g.api+"/user", what)
	var e *connectors.Error
	switch {
	case errors.As(err, &e) && e.Kind == connectors.Operator && e.Code == "" && answer.Status == http.StatusForbidden:
		// This call needs no permission at all, so it is the account that is refused.
		no := &connectors.Error{Kind: connectors.Declined, Hint: "GitHub refuses the account's own token: it may be suspended", Err: errRefusedAccount}
		if suspended(answer) {
			no.Hint, no.Err = "GitHub has suspended the account", errSuspended
		}
		return u, no
	case err != nil:
		return u, err
	case !answer.OK():
		return u, notThere(what)
	}
	if err := decode(answer, what, &u); err != nil {
		return u, err
	}
	if u.ID <= 0 || u.Login == "" {
		return u, broken("GitHub's answer about the person has no id")
	}
	return u, nil
}

// shown drops what is not fit for one line.
func shown(s string) string {
	if len(s) > 2<<10 || !connectors.IsText(s) {
		return ""
	}
	return s
}

type emailAddress struct {
	Email    string   `json:"email"`
	Primary  onlyTrue `json:"primary"`
	Verified onlyTrue `json:"verified"`
}

// onlyTrue is set by the JSON true; everything else, "true" included, leaves it
// unset (ATTACKS UP-02).
type onlyTrue bool

// UnmarshalJSON implements json.Unmarshaler.
func (o *onlyTrue) UnmarshalJSON(b []byte) error {
	*o = string(b) == "true"
	return nil
}

// address fills in the primary address and whether GitHub has verified it. Another
// verified address is not taken in its place: the person did not choose it.
func (s *session) address(ctx context.Context, p *broker.Profile) error {
	if !s.g.config.readsEmail() {
		s.report.EmailEvidence = "none: the scope user:email is not asked for"
		return nil
	}
	var all []emailAddress
	_, err := list(ctx, s, "/user/emails?per_page=100", "e-mail addresses", func(_ connectors.Answer, page []emailAddress) error {
		all = append(all, page...)
		return nil
	})
	if e, ok := errors.AsType[*connectors.Error](err); ok && e.Kind == connectors.Operator && e.Code == "" && s.isGitHubApp() {
		e.Hint = "GitHub does not show the app e-mail addresses: give the GitHub App the account permission Email addresses (read-only), which people then have to accept"
	}
	if err != nil {
		return err
	}
	address, evidence := primary(all)
	s.report.EmailEvidence = map[broker.EmailTrust]string{
		broker.EmailVerified:   "GET /user/emails: the primary address, verified by GitHub",
		broker.EmailUnverified: "GET /user/emails: the primary address, not verified",
		broker.EmailUnknown:    "GET /user/emails: no single primary address that anybody reads",
	}[evidence]
	if evidence == broker.EmailUnverified && s.g.config.EmailsAreVerified {
		evidence = broker.EmailVerified
		s.report.EmailEvidence = "GET /user/emails: the primary address, verified as emails_are_verified says"
	}
	s.g.config.Address(p, address, evidence)
	return nil
}

// primary chooses the one primary address. Nothing reads mail at a noreply
// address, so it is none at all (ATTACKS UP-20).
func primary(all []emailAddress) (string, broker.EmailTrust) {
	var chosen []emailAddress
	for _, e := range all {
		if bool(e.Primary) {
			chosen = append(chosen, e)
		}
	}
	switch {
	case len(chosen) != 1 || chosen[0].Email == "" || isNoReply(chosen[0].Email):
		return "", broker.EmailUnknown
	case bool(chosen[0].Verified):
		return chosen[0].Email, broker.EmailVerified
	}
	return chosen[0].Email, broker.EmailUnverified
}

// isNoReply knows users.noreply.github.com, its like at other hosts, and whatever
// else has the name in its domain: nobody is reached there.
func isNoReply(address string) bool {
	domain := lower(address[strings.LastIndexByte(address, '@')+1:])
	return slices.Contains(strings.Split(domain, "."), "noreply")
}
