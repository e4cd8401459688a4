package github

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"gatehouse/connectors"
)

// standing is what is known of a person under one rule.
type standing struct {
	rule   Organization
	org    organization // where member
	member bool
	// absent: nobody says that the person is in the organisation, and why is not known.
	absent bool
	// admits is the rule's verdict; with err there is none.
	admits bool
	err    error
	// groups are the person's in this organisation, unless unread says why they are not
	// known.
	groups []string
	unread error
}

// admission decides the rules. One that admits is enough. If none does, one that
// cannot be read refuses, for it could be the one; and only if all say no, the
// answer is no.
func (s *session) admission(ctx context.Context, v *view) (names []string, unread, refusal error) {
	var all []standing
	members := map[int64]bool{}
	if v.unnamed || len(v.withheld) > 0 {
		s.note("GitHub withheld organisations that want a SAML sign-in of the person first. That matters only if they are among the rules.")
	}
	for _, rule := range s.g.config.Organizations {
		st := s.standing(ctx, v, rule)
		if st.member {
			members[st.org.ID] = true
		}
		all = append(all, st)
	}
	if len(members) > 0 {
		teams, err := s.teams(ctx, v, func(organization int64) bool { return members[organization] })
		for i := range all {
			if all[i].member {
				s.judge(&all[i], v, teams[all[i].org.ID], err)
			}
		}
	}
	admitted := false
	var unknown error
	for _, st := range all {
		admitted = admitted || st.admits
		names = append(names, st.groups...)
		if unknown == nil {
			unknown = st.err
		}
		if unread == nil {
			unread = st.unread
		}
	}
	switch {
	case admitted && unread == nil:
		return names, unknown, nil
	case admitted:
		return nil, unread, nil
	case unknown != nil:
		return nil, nil, unknown
	}
	return nil, nil, s.refuse(ctx, v, all)
}

// standing finds the organisation of a rule: by its number if that is configured or
// was seen before, otherwise by its name. One that the list lacks is asked for by
// itself, because lists leave out, without a word, those that have not approved the
// OAuth app or have not installed the GitHub App.
func (s *session) standing(ctx context.Context, v *view, rule Organization) standing {
	st := standing{rule: rule}
	number := s.g.expected(rule)
	at := slices.IndexFunc(v.organizations, func(o organization) bool { return number != 0 && o.ID == number })
	if at < 0 {
		at = slices.IndexFunc(v.organizations, func(o organization) bool { return lower(o.Login) == lower(rule.Name) })
	}
	if at >= 0 {
		st.org = v.organizations[at]
		st.err = s.g.same(rule, st.org)
		st.member = st.err == nil
		return st
	}
	answer, err := s.get(ctx, s.g.api+"/user/memberships/orgs/"+rule.Name, "the membership in "+rule.Name)
	switch {
	case err != nil:
		st.err = err
		return st
	case !answer.OK():
		st.absent = true
		return st
	}
	var m membership
	if st.err = decode(answer, "a membership", &m); st.err != nil {
		return st
	}
	if m.Organization.ID <= 0 || m.Organization.ID != number && lower(m.Organization.Login) != lower(rule.Name) {
		st.err = broken("GitHub answered about another organisation than was asked for")
		return st
	}
	st.org = m.Organization
	st.err = s.g.same(rule, st.org)
	st.member = st.err == nil && m.active()
	return st
}

// expected is the number of a rule's organisation, zero while it is not known.
func (g *Connector) expected(rule Organization) int64 {
	if rule.ID != 0 {
		return rule.ID
	}
	return g.pins.number(lower(rule.Name))
}

// same holds an organisation against the number that the rule is about. Another one
// under the name has taken it over, and gains nothing by it (ATTACKS UP-19).
func (g *Connector) same(rule Organization, found organization) error {
	g.pins.sight(found.ID)
	want := rule.ID
	if want == 0 {
		want = g.pins.pin(lower(rule.Name), found.ID)
	}
	if found.ID == want {
		return nil
	}
	return g.changedHands("organisation", rule.Name, want, found.ID)
}

// changedHands is the error about a name that stands for something else now.
func (g *Connector) changedHands(what, name string, want, found int64) error {
	e := &connectors.Error{
		Kind: connectors.Operator,
		Hint: "the " + what + " " + name + " at GitHub has the number " + strconv.FormatInt(found, 10) + " and not " + strconv.FormatInt(want, 10) +
			": the name has changed hands; set id to the one that is meant, and name to what it is called now",
	}
	if g.pins.first(what + " " + name) {
		g.log.Error("a name in the rules stands for something else at GitHub now", "connector", g.config.ID,
			"kind", what, "name", name, "expected", want, "found", found)
	}
	return e
}

// refuse tells the person's no from ours: whoever is in none of the organisations
// is not allowed, but only if these exist, are the ones that are meant, and show
// themselves to our application.
func (s *session) refuse(ctx context.Context, v *view, all []standing) error {
	for _, st := range all {
		if !st.absent {
			continue
		}
		if err := s.explain(ctx, v, st.rule); err != nil {
			return err
		}
	}
	return &connectors.Error{Kind: connectors.NotAllowed, Hint: "the person is not an active member of a listed organisation and team"}
}

// explain returns why a membership may be missing though there is one, nil if it is
// simply missing.
func (s *session) explain(ctx context.Context, v *view, rule Organization) error {
	answer, err := s.get(ctx, s.g.api+"/orgs/"+rule.Name, "the organisation "+rule.Name)
	switch {
	case err != nil:
		return err
	case answer.Status == http.StatusNotFound:
		return &connectors.Error{Kind: connectors.Operator, Hint: "GitHub knows no organisation " + rule.Name + ": check its name, and whether it has another one now"}
	}
	var found organization
	if err := decode(answer, "an organisation", &found); err != nil {
		return err
	}
	switch want := s.g.expected(rule); {
	case found.ID <= 0:
		return broken("GitHub's answer about an organisation has no id")
	case want != 0 && want != found.ID:
		return s.g.changedHands("organisation", rule.Name, want, found.ID)
	case v.incomplete(found.ID):
		return partial(rule.Name)
	case s.isGitHubApp() && !s.g.pins.sighted(found.ID):
		// GitHub answers 404 as well where the app is not installed.
		return &connectors.Error{
			Kind: connectors.Operator, Err: errUnsighted,
			Hint: "either the person is not a member of " + rule.Name + ", or the GitHub App does not see it: " + s.g.permissionAdvice(),
		}
	}
	return nil
}
