package policy_test

import (
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/policy"
)

func TestSubjects(t *testing.T) {
	t.Parallel()
	s := policy.Subjects{Salt: []byte(strings.Repeat("s", 32))}
	account := broker.IdentityKey{Connector: "corp", Issuer: "https://idp.example", Subject: "1"}.ProposedAccountID()
	plain, shop := &broker.Client{ID: "wiki"}, &broker.Client{ID: "shop", Sector: "shop.example"}
	if s.Of(plain, account) != account {
		t.Error("a public subject is not the account's ID")
	}
	sub := s.Of(shop, account)
	for name, other := range map[string]string{
		"the account's ID":             account,
		"that of another sector":       s.Of(&broker.Client{ID: "shop", Sector: "shop.exampl"}, "e"+account),
		"that of another account":      s.Of(shop, account[1:]+"a"),
		"that of another installation": policy.Subjects{Salt: []byte(strings.Repeat("t", 32))}.Of(shop, account),
	} {
		if sub == other {
			t.Errorf("the subject is %s", name)
		}
	}
	if s.Session(plain, account) != account || s.Session(shop, "") != "" {
		t.Error("a client without a sector, or a grant without a session, has a sid that is not the session's ID")
	}
	for name, other := range map[string]string{"the session's ID": account, "the sub of the same text": sub,
		"that of another sector": s.Session(&broker.Client{ID: "till", Sector: "till.example"}, account)} {
		if s.Session(shop, account) == other {
			t.Errorf("the sid is %s", name)
		}
	}
	if again := s.Of(&broker.Client{ID: "till", Sector: "shop.example"}, account); again != sub || len(sub) != len(account) || sub != strings.ToLower(sub) {
		t.Errorf("clients of one sector know %q and %q", sub, again)
	}
}
