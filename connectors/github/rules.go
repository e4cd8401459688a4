package github

import (
	"errors"
	"fmt"
	"strings"

	"gatehouse/connectors"
)

// Organization is one rule of admission.
type Organization struct {
	// Name is the organisation's login; case does not count.
	Name string `yaml:"name"`
	// ID, when set, is the organisation's number and decides: a name can be given up and
	// be registered by somebody else, a number cannot. Name is then what groups are
	// called after.
	ID int64 `yaml:"id"`
	// Teams admit only their own members. Members of a child team are members of its
	// parents.
	Teams []Team `yaml:"teams"`
}

// Team is a team of a rule. In YAML the slug alone stands for it.
type Team struct {
	// Slug is the last part of the address of the team's page; case does not count.
	Slug string `yaml:"slug"`
	// ID, when set, is the team's number and decides.
	ID int64 `yaml:"id"`
}

// UnmarshalText reads the form that is one word.
func (t *Team) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("must be a team's slug")
	}
	*t = Team{Slug: string(text)}
	return nil
}

func (c *Config) organizationProblems(add func(path, format string, args ...any)) {
	names, numbers := map[string]bool{}, map[int64]bool{}
	for i, o := range c.Organizations {
		path := fmt.Sprintf("organizations[%d]", i)
		switch {
		case !isName(o.Name):
			add(path+".name", "required: the organisation's name as in the address of its page, such as acme")
		case names[lower(o.Name)]:
			add(path+".name", "is listed twice: put all teams into one entry")
		}
		names[lower(o.Name)] = true
		switch {
		case o.ID < 0:
			add(path+".id", "must be the organisation's number")
		case o.ID != 0 && numbers[o.ID]:
			add(path+".id", "is listed twice: put all teams into one entry")
		}
		numbers[o.ID] = true
		o.teamProblems(path, add)
	}
}

func (o Organization) teamProblems(path string, add func(path, format string, args ...any)) {
	slugs, numbers := map[string]bool{}, map[int64]bool{}
	for j, t := range o.Teams {
		at := fmt.Sprintf("%s.teams[%d]", path, j)
		switch {
		case !isName(t.Slug):
			add(at, "must be a team's slug as in the address of its page, such as platform")
		case slugs[lower(t.Slug)] || t.ID > 0 && numbers[t.ID]:
			add(at, "is listed twice")
		case t.ID < 0:
			add(at+".id", "must be the team's number")
		}
		slugs[lower(t.Slug)], numbers[t.ID] = true, true
	}
}

// Warnings returns what the configuration may well mean but a careful operator
// wants to be told: rules that hang on a name, and addresses that nobody but the
// operator vouches for.
func (c *Config) Warnings() []connectors.Problem {
	var out []connectors.Problem
	if c.EmailsAreVerified {
		out = append(out, connectors.Problem{Path: "emails_are_verified", Message: "every primary address at this server counts as verified, on your word"})
	}
	add := func(path, name string) {
		out = append(out, connectors.Problem{Path: path, Message: "has no id: should " + name +
			" be given up and registered by somebody else, the rule would be about them after a restart; broker connector test prints the number"})
	}
	for i, o := range c.Organizations {
		path := fmt.Sprintf("organizations[%d]", i)
		if o.ID == 0 {
			add(path, o.Name)
		}
		for j, t := range o.Teams {
			if t.ID == 0 {
				add(fmt.Sprintf("%s.teams[%d]", path, j), t.Slug)
			}
		}
	}
	return out
}

// isName accepts what can stand for one segment of a path, as logins and slugs do.
func isName(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, ".") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}
