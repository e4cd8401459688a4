package github

import (
	"context"
	"fmt"
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

// view is what the lists tell of a person's memberships.
type view struct {
	organizations []organization // active ones
	// withheld are the organisations GitHub says it left out, by ID; unnamed is set when
	// it left out some and did not say which.
	withheld map[int64]bool
	unnamed  bool
}

// incomplete reports whether something of an organisation may have been left out.
func (v *view) incomplete(organization int64) bool { return v.unnamed || v.withheld[organization] }

// groups returns the person's organisations and teams, "acme" and
// "acme:platform", after the rules of admission. With rules it is those of the
// organisations in them, under the names the rules use; without, all that the
// token may see, if that is asked for.
//
// unread says why groups could not be read, which on_group_failure is about;
// refusal, that the person is not admitted or that it cannot be told, which it is
// never about (ATTACKS UP-21).
func (s *session) groups(ctx context.Context) (names []string, unread, refusal error) {
	if !s.g.config.readsOrganizations() {
		return nil, nil, nil
	}
	v, err := s.view(ctx)
	switch {
	case len(s.g.config.Organizations) == 0 && err != nil:
		return nil, err, nil
	case len(s.g.config.Organizations) == 0:
		names, unread = s.everything(ctx, v)
		return names, unread, nil
	case err != nil:
		return nil, nil, err
	}
	return s.admission(ctx, v)
}

// view reads the list of memberships.
func (s *session) view(ctx context.Context) (*view, error) {
	v := &view{withheld: map[int64]bool{}}
	pages, err := list(ctx, s, "/user/memberships/orgs?state=active&per_page=100", "memberships", func(a connectors.Answer, page []membership) error {
		v.leftOut(a)
		for _, m := range page {
			if m.active() && m.Organization.Login != "" && m.Organization.ID > 0 {
				v.organizations = append(v.organizations, m.Organization)
			}
		}
		return nil
	})
	s.found("GET /user/memberships/orgs", pages)
	return v, err
}

// found says where groups come from.
func (s *session) found(what string, pages int) {
	unit := "page"
	if pages != 1 {
		unit = "pages"
	}
	if s.report.GroupSource != "" {
		s.report.GroupSource += ", "
	}
	s.report.GroupSource += fmt.Sprintf("%s (%d %s)", what, pages, unit)
}

// leftOut reads X-GitHub-SSO: "partial-results; organizations=21955855,20582480"
// says that entries of these were withheld for want of a SAML session
// ("Authenticating to the REST API").
func (v *view) leftOut(a connectors.Answer) {
	header := a.Header.Get("X-GitHub-SSO")
	if header == "" {
		return
	}
	kind, params, _ := strings.Cut(header, ";")
	ids, named := strings.CutPrefix(strings.TrimSpace(params), "organizations=")
	if strings.TrimSpace(kind) != "partial-results" || !named {
		v.unnamed = true
		return
	}
	for id := range strings.SplitSeq(ids, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(id), 10, 64)
		if err != nil {
			v.unnamed = true
			return
		}
		v.withheld[n] = true
	}
}

// partial is the error about entries that were left out.
func partial(of string) error {
	return &connectors.Error{
		Kind: connectors.Operator, Code: "sso_required", Err: fmt.Errorf("%w: %w", connectors.ErrGroupsIncomplete, errSAMLSession),
		Hint: "GitHub withheld what belongs to " + of + ", which wants a SAML sign-in of the person first: they begin a session there and sign in here again",
	}
}

// everything are the groups when there are no rules.
func (s *session) everything(ctx context.Context, v *view) ([]string, error) {
	teams, err := s.teams(ctx, v, func(int64) bool { return true })
	switch {
	case err != nil:
		return nil, err
	case v.unnamed || len(v.withheld) > 0:
		return nil, partial("an organisation")
	}
	var out []string
	for _, o := range v.organizations {
		if !isName(o.Login) {
			continue
		}
		out = append(out, s.g.groupName(o.Login, o.ID))
		for _, t := range teams[o.ID] {
			out = append(out, s.g.groupName(o.Login, o.ID)+":"+s.g.groupName(t.Slug, t.ID))
		}
	}
	return out, nil
}

// groupName is what stands for an organisation or a team in a group.
func (g *Connector) groupName(name string, id int64) string {
	if g.config.GroupNames == groupsByNumber {
		return strconv.FormatInt(id, 10)
	}
	return name
}
