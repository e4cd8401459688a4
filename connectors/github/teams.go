package github

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gatehouse/connectors"
)

// team is a team as one is listed. Its parent, inside it, has neither organisation
// nor parent: the organisation is the child's, and the rest has to be asked for.
type team struct {
	ID           int64        `json:"id"`
	Slug         string       `json:"slug"`
	Organization organization `json:"organization"`
	Parent       *parentTeam  `json:"parent"`
}

type parentTeam struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

// place is a team that the person is in, directly or by being in one below it.
type place struct {
	ID   int64
	Slug string // in lower case
}

// maxDepth bounds the way from a team to the topmost.
const maxDepth = 16

// teams reads the person's teams with all that are above them, by the number of
// their organisation, for the organisations that are wanted. Teams of an enterprise
// have no organisation and match no rule.
func (s *session) teams(ctx context.Context, v *view, wanted func(organization int64) bool) (map[int64][]place, error) {
	direct := map[int64]team{}
	var order []int64
	pages, err := list(ctx, s, "/user/teams?per_page=100", "teams", func(a connectors.Answer, page []team) error {
		v.leftOut(a)
		for _, t := range page {
			if t.Organization.ID > 0 && t.ID > 0 && wanted(t.Organization.ID) {
				direct[t.ID] = t
				order = append(order, t.ID)
			}
		}
		return nil
	})
	s.found("GET /user/teams", pages)
	if err != nil {
		return nil, err
	}
	out := map[int64][]place{}
	entered := map[int64]bool{}
	enter := func(organization, id int64, slug string) {
		if slug = lower(slug); isName(slug) && !entered[id] {
			entered[id] = true
			out[organization] = append(out[organization], place{id, slug})
		}
	}
	for _, id := range order {
		t := direct[id]
		at := t.Organization.ID
		enter(at, t.ID, t.Slug)
		for p, depth := t.Parent, 0; p != nil && !entered[p.ID]; depth++ {
			if p.ID <= 0 || depth == maxDepth {
				return nil, broken("GitHub's list of teams has a parent without a number, or without end")
			}
			enter(at, p.ID, p.Slug)
			if p, err = s.above(ctx, at, p.ID, direct); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// above returns the parent of a team that is a parent itself: from the person's own
// list, from what was asked lately, or from the API; nil for the topmost.
func (s *session) above(ctx context.Context, organization, id int64, direct map[int64]team) (*parentTeam, error) {
	if t, listed := direct[id]; listed {
		return t.Parent, nil
	}
	if p, known := s.g.parents.of(id); known {
		return p, nil
	}
	const what = "a parent team"
	answer, err := s.get(ctx, fmt.Sprintf("%s/organizations/%d/team/%d", s.g.api, organization, id), what)
	if err != nil {
		return nil, err
	}
	if !answer.OK() {
		return nil, notThere(what)
	}
	var t team
	if err := decode(answer, what, &t); err != nil {
		return nil, err
	}
	if t.ID != id || t.Organization.ID != 0 && t.Organization.ID != organization {
		return nil, broken("GitHub answered about another team than was asked for")
	}
	s.g.parents.remember(id, t.Parent)
	return t.Parent, nil
}

const (
	// hierarchyAge is how long a team is taken to stay below the same parent, and
	// maxHierarchy the number of teams of which that is remembered.
	hierarchyAge = 5 * time.Minute
	maxHierarchy = 4096
)

// hierarchy remembers the parents of teams, so that not everybody's sign-in asks for
// them again. Who is in a team is never remembered. It is safe for concurrent use.
type hierarchy struct {
	now   func() time.Time
	mu    sync.Mutex
	teams map[int64]ancestor
}

type ancestor struct {
	parent *parentTeam
	asked  time.Time
}

func (h *hierarchy) of(id int64) (*parentTeam, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, known := h.teams[id]
	// A clock that was set back must not keep an entry alive.
	if age := h.now().Sub(a.asked); !known || age < 0 || age >= hierarchyAge {
		return nil, false
	}
	return a.parent, true
}

func (h *hierarchy) remember(id int64, parent *parentTeam) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.teams == nil || len(h.teams) >= maxHierarchy {
		h.teams = map[int64]ancestor{}
	}
	h.teams[id] = ancestor{parent, h.now()}
}
