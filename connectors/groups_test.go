package connectors_test

import (
	"slices"
	"testing"

	"gatehouse/connectors"
)

func TestGroupRules(t *testing.T) {
	t.Parallel()
	prefix := func(s string) *string { return &s }
	upstream := []string{"staff", "broker-admins", "staff", "", "Staff"}
	for _, tt := range []struct {
		name     string
		rules    connectors.GroupRules
		want     []string
		problems int
	}{
		{"UP-23 by default groups carry the connector's name", connectors.GroupRules{}, []string{"corp:staff", "corp:broker-admins", "corp:Staff"}, 0},
		{"another prefix", connectors.GroupRules{Prefix: prefix("hr/")}, []string{"hr/staff", "hr/broker-admins", "hr/Staff"}, 0},
		{"an allow-list is exact", connectors.GroupRules{Allow: []string{"staff"}}, []string{"corp:staff"}, 0},
		{"an allow-list permits bare names", connectors.GroupRules{Prefix: prefix(""), Allow: []string{"staff"}}, []string{"staff"}, 0},
		{"UP-23 bare names without a list are a problem and do not happen", connectors.GroupRules{Prefix: prefix("")}, []string{"corp:staff", "corp:broker-admins", "corp:Staff"}, 1},
		{"an empty name on the list is a problem", connectors.GroupRules{Allow: []string{""}}, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.rules.Apply("corp", upstream); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := tt.rules.Problems(); len(got) != tt.problems {
				t.Errorf("got problems %v, want %d", got, tt.problems)
			}
		})
	}
}
