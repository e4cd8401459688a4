package connectors

import (
	"errors"
	"fmt"
	"log/slog"

	"gatehouse/broker"
)

// GroupFailure is what happens to a sign-in whose groups cannot be read.
type GroupFailure string

// The values of on_group_failure. Refuse is the default.
const (
	RefuseSignIn GroupFailure = "refuse"
	KeepLast     GroupFailure = "keep_last"
	NoGroups     GroupFailure = "none"
)

// GroupFailures is a GroupFailure for each way in which reading groups fails. In
// YAML one word stands for all three.
type GroupFailures struct {
	// Unavailable: the upstream's API is down, slow, or limits us.
	Unavailable GroupFailure `yaml:"unavailable"`
	// Denied: the upstream does not let us ask: a scope, a consent or a privilege is
	// missing.
	Denied GroupFailure `yaml:"denied"`
	// Incomplete: the upstream tells only some of the groups, or only that there are
	// more.
	Incomplete GroupFailure `yaml:"incomplete"`
}

// UnmarshalText reads the form that is one word.
func (g *GroupFailures) UnmarshalText(text []byte) error {
	one := GroupFailure(text)
	if !one.valid() {
		return errors.New("must be refuse, keep_last or none")
	}
	*g = GroupFailures{one, one, one}
	return nil
}

func (f GroupFailure) valid() bool {
	return f == "" || f == RefuseSignIn || f == KeepLast || f == NoGroups
}

// Problems returns what is wrong with the values.
func (g GroupFailures) Problems() []Problem {
	var out []Problem
	for _, one := range []struct {
		key   string
		value GroupFailure
	}{{"unavailable", g.Unavailable}, {"denied", g.Denied}, {"incomplete", g.Incomplete}} {
		if !one.value.valid() {
			out = append(out, Problem{"on_group_failure." + one.key, "must be refuse, keep_last or none"})
		}
	}
	return out
}

// ErrGroupsIncomplete marks the cause of an Error that says: there are more groups
// than the upstream told.
var ErrGroupsIncomplete = errors.New("the list of groups is not complete")

// mode chooses by the error: Transient is unavailable, a cause of
// ErrGroupsIncomplete incomplete, Operator denied. Anything else is an attack or a
// defect and always refused.
func (g GroupFailures) mode(err error) GroupFailure {
	var e *Error
	switch {
	case errors.Is(err, ErrGroupsIncomplete):
		return g.Incomplete
	case !errors.As(err, &e):
		return RefuseSignIn
	case e.Kind == Transient:
		return g.Unavailable
	case e.Kind == Operator:
		return g.Denied
	}
	return RefuseSignIn
}

// SettleGroups puts the groups of an upstream, or the failure to read them, into an
// identity: through the connector's rules, and as on_group_failure says. It returns
// the error where that means refusal.
func (c *Common) SettleGroups(id *broker.Identity, groups []string, err error, log *slog.Logger) error {
	if err == nil {
		id.Profile.Groups = c.Groups.Apply(c.ID, groups)
		return nil
	}
	id.Profile.Groups = nil
	switch mode := c.OnGroupFailure.mode(err); mode {
	case KeepLast, NoGroups:
		id.KeepGroups = mode == KeepLast
		log.Warn(fmt.Sprintf("groups could not be read; on_group_failure is %s", mode), "connector", c.ID, "error", err)
		return nil
	}
	return err
}
