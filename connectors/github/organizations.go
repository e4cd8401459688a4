package github

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"gatehouse/connectors"
)

// organization and what follows are what is read of the API's objects. Members
// may be null or missing where GitHub's schema says otherwise.
type organization struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
}

type membership struct {
	State        string       `json:"state"`
	Organization organization `json:"organization"`
}

// active: a pending invitation is not membership (ATTACKS UP-21).
func (m membership) active() bool { return m.State == "active" }

type team struct {
	Slug         string       `json:"slug"`
	Organization organization `json:"organization"`
	Parent       *struct {
		Slug string `json:"slug"`
	} `json:"parent"`
}

// groups returns the person's organisations and teams, "acme" and
// "acme:platform", after the rules of admission. With rules it is those of the
// organisations in them, under the names the rules use; without, all that the
// token may see, if the scope to see them is asked for.
func (s *session) groups(ctx context.Context) ([]string, error) {
	if !grants(s.g.oauth.Scopes, scopeOrganizations) {
		return nil, nil
	}
	v, err := s.view(ctx)
	if err != nil {
		return nil, err
	}
	rules := s.g.config.Organizations
	if len(rules) == 0 {
		if v.withheldAny {
			return nil, withheld()
		}
		return v.names(), nil
	}
	var out []string
	admitted := false
	for _, rule := range rules {
		member, err := s.member(ctx, v, rule)
		if err != nil {
			return nil, err
		}
		if !member {
			continue
		}
		teams := v.teams[lower(rule.Name)]
		admitted = admitted || len(rule.Teams) == 0 || slices.ContainsFunc(rule.Teams, func(t string) bool { return slices.Contains(teams, lower(t)) })
		out = append(out, rule.Name)
		for _, t := range teams {
			out = append(out, rule.Name+":"+t)
		}
	}
	if !admitted {
		return nil, &connectors.Error{Kind: connectors.NotAllowed, Hint: "the person is not an active member of a listed organisation and team"}
	}
	return out, nil
}

// view is what the lists tell of a person's memberships.
type view struct {
	organizations []organization      // active ones
	teams         map[string][]string // slugs by organisation, in lower case
	// withheld are the organisations GitHub says it left out, by ID; withheldAny is
	// set when there is one, named or not.
	withheld    map[int64]bool
	withheldAny bool
}

func (s *session) view(ctx context.Context) (*view, error) {
	v := &view{teams: map[string][]string{}, withheld: map[int64]bool{}}
	err := list(ctx, s, "/user/memberships/orgs?state=active&per_page=100", "memberships", func(a connectors.Answer, page []membership) error {
		for _, m := range page {
			if m.active() && m.Organization.Login != "" {
				v.organizations = append(v.organizations, m.Organization)
			}
		}
		return v.leftOut(a)
	})
	if err != nil {
		return nil, err
	}
	err = list(ctx, s, "/user/teams?per_page=100", "teams", func(a connectors.Answer, page []team) error {
		for _, t := range page {
			v.addTeam(t)
		}
		return v.leftOut(a)
	})
	return v, err
}

// addTeam enters a team and the parent that its members are in by it. The parent
// object names no organisation: it is the child's. Teams of an enterprise have no
// organisation and match no rule.
func (v *view) addTeam(t team) {
	if t.Organization.Login == "" {
		return
	}
	slugs := []string{t.Slug}
	if t.Parent != nil {
		slugs = append(slugs, t.Parent.Slug)
	}
	at := lower(t.Organization.Login)
	for _, slug := range slugs {
		if slug = lower(slug); isName(slug) && !slices.Contains(v.teams[at], slug) {
			v.teams[at] = append(v.teams[at], slug)
		}
	}
}

// leftOut reads X-GitHub-SSO: "partial-results; organizations=21955855,20582480"
// says that entries of these were withheld for want of a SAML session.
func (v *view) leftOut(a connectors.Answer) error {
	header := a.Header.Get("X-GitHub-SSO")
	if header == "" {
		return nil
	}
	kind, params, _ := strings.Cut(header, ";")
	ids, named := strings.CutPrefix(strings.TrimSpace(params), "organizations=")
	if strings.TrimSpace(kind) != "partial-results" || !named {
		return withheld()
	}
	for id := range strings.SplitSeq(ids, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(id), 10, 64)
		if err != nil {
			return withheld()
		}
		v.withheld[n] = true
	}
	v.withheldAny = true
	return nil
}

func withheld() error {
	return &connectors.Error{Kind: connectors.Interaction, Code: "sso_required", Hint: "GitHub withheld organisations that want a SAML sign-in of the person first: the list is incomplete"}
}

// names are the groups when there are no rules.
func (v *view) names() []string {
	var out []string
	for _, o := range v.organizations {
		if !isName(o.Login) {
			continue
		}
		out = append(out, o.Login)
		for _, t := range v.teams[lower(o.Login)] {
			out = append(out, o.Login+":"+t)
		}
	}
	return out
}

// member decides one rule. An organisation that the list lacks is asked for by
// itself, because lists leave out, without a word, those that have not approved
// the OAuth app: only a 404 says that the person is not in it.
func (s *session) member(ctx context.Context, v *view, rule Organization) (bool, error) {
	at := slices.IndexFunc(v.organizations, func(o organization) bool { return lower(o.Login) == lower(rule.Name) })
	var found organization
	if at >= 0 {
		found = v.organizations[at]
	} else {
		answer, err := s.get(ctx, s.g.api+"/user/memberships/orgs/"+rule.Name, "a membership")
		if err != nil {
			return false, err
		}
		if !answer.OK() {
			return false, nil
		}
		var m membership
		if err := decode(answer, "a membership", &m); err != nil {
			return false, err
		}
		if lower(m.Organization.Login) != lower(rule.Name) {
			return false, broken("GitHub answered about another organisation than was asked for")
		}
		if !m.active() {
			return false, nil
		}
		found = m.Organization
	}
	if v.withheld[found.ID] {
		return false, withheld()
	}
	if rule.ID != 0 && rule.ID != found.ID {
		// The name has changed hands (ATTACKS UP-19).
		return false, &connectors.Error{Kind: connectors.Operator, Hint: "the organisation " + rule.Name + " at GitHub is not the one whose id is configured"}
	}
	return true, nil
}
