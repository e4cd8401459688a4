package github

import "strings"

// judge decides a rule for a member of its organisation, and collects the groups.
// A team that was not told of could be the one that the rule wants.
func (s *session) judge(st *standing, v *view, places []place, unread error) {
	rule := st.rule
	st.unread = unread
	if st.unread == nil && v.incomplete(st.org.ID) {
		st.unread = partial(rule.Name)
	}
	st.admits = len(rule.Teams) == 0
	called := map[int64]string{}
	for _, t := range rule.Teams {
		at, err := s.g.team(rule, t, places, called)
		st.admits = st.admits || at
		if st.unread == nil {
			st.unread = err
		}
	}
	if !st.admits {
		st.err = st.unread
	}
	s.advise(rule, st.org, places)
	organization := s.g.groupName(rule.Name, st.org.ID)
	st.groups = append(st.groups, organization)
	for _, p := range places {
		if name, ours := called[p.ID]; !ours {
			st.groups = append(st.groups, organization+":"+s.g.groupName(p.Slug, p.ID))
		} else if name != "" {
			st.groups = append(st.groups, organization+":"+s.g.groupName(name, p.ID))
		}
	}
}

// team reports whether the person is in a team of a rule, which is known by its
// number as organisations are. called gets the name of each team that the rules
// name, and an empty one for a team that has only taken such a name over: it gives
// no group, least of all the other's.
func (g *Connector) team(rule Organization, t Team, places []place, called map[int64]string) (in bool, err error) {
	slug := lower(t.Slug)
	key := lower(rule.Name) + "/" + slug
	want := t.ID
	for _, p := range places {
		if want == 0 && p.Slug == slug {
			want = g.pins.pin(key, p.ID)
		}
	}
	if want == 0 {
		want = g.pins.number(key)
	}
	for _, p := range places {
		switch {
		case p.ID == want:
			in, called[p.ID] = true, slug
		case p.Slug == slug && called[p.ID] == "":
			called[p.ID] = ""
			mismatch := g.changedHands("team", rule.Name+"/"+t.Slug, want, p.ID)
			if t.ID == 0 {
				err = mismatch
			}
		}
	}
	return in, err
}

// advise tells whoever tests the connector which numbers the names of a rule have.
func (s *session) advise(rule Organization, found organization, places []place) {
	if rule.ID == 0 {
		s.note("The organization %s has the number %d; with id: %d the rule stays about it whoever has the name.", rule.Name, found.ID, found.ID)
	}
	for _, t := range rule.Teams {
		for _, p := range places {
			if t.ID == 0 && p.Slug == lower(t.Slug) {
				s.note("The team %s of %s has the number %d, for its id.", t.Slug, rule.Name, p.ID)
			}
		}
	}
}

// isGitHubApp reports whether the token is one of a GitHub App's user.
func (s *session) isGitHubApp() bool {
	return s.g.config.App == githubApp || strings.HasPrefix(s.token, githubAppToken)
}
