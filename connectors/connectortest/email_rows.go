package connectortest

import (
	"fmt"
	"slices"
	"testing"

	"gatehouse/broker"
)

func emailRows() []row {
	return []row{
		{name: "UP-02 UP-03 only what the vendor documents as true verifies an address", test: testEmailFlag},
	}
}

// testEmailFlag is testEmailVerified for vendors with evidence of their own.
func testEmailFlag(t *testing.T, s Subject) {
	if s.EmailFlag == nil {
		if s.OpenID == nil || !s.OpenID.EmailVerified {
			t.Error("the Subject says of no evidence for e-mail addresses")
		}
		return
	}
	try := func(name string, documented bool, value any, absent bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := s.Open(t, nil)
			if absent {
				s.EmailFlag.Absent(b.Vendor)
			} else {
				s.EmailFlag.Set(b.Vendor, value)
			}
			id, _, err := b.SignIn(t)
			if verified := err == nil && id.Profile.EmailTrust == broker.EmailVerified; verified != documented {
				t.Errorf("verified: %v (%v)", verified, err)
			}
		})
	}
	for _, v := range []any{true, false, "true", "false", "true ", "True", "yes", "1", "0", "", 0, 1, 2, -1, 1.5, nil, []any{}, []any{true}, map[string]any{}, map[string]any{"value": true}} {
		documented := v == any(true) || simple(v) && slices.Contains(s.EmailFlag.Documented, v)
		try(fmt.Sprintf("%T %v", v, v), documented, v, false)
	}
	try("absent", false, nil, true)
}

// simple reports whether two values of the type may be compared.
func simple(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	return true
}
