package google

import (
	"strings"
	"testing"

	"gatehouse/connectors"
)

func FuzzMembershipQuery(f *testing.F) {
	for _, s := range []string{"ada@example.com", "x' && member_key_id == 'y", `x\`, `\\'`, "\xff", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, member string) {
		query, ok := membershipQuery(member)
		if !ok {
			return
		}
		// Read back as CEL does: the literal ends where ours does and nowhere before.
		const head, tail = "member_key_id == '", "' && 'cloudidentity.googleapis.com/groups.discussion_forum' in labels"
		literal := query[len(head) : len(query)-len(tail)]
		var value []byte
		for i := 0; i < len(literal); i++ {
			switch {
			case literal[i] == '\'':
				t.Fatalf("the literal of %q ends early: %s", member, query)
			case literal[i] == '\\':
				if i++; i == len(literal) {
					t.Fatalf("the literal of %q swallows its end: %s", member, query)
				}
			}
			value = append(value, literal[i])
		}
		if string(value) != member {
			t.Errorf("%q reads as %q", member, value)
		}
	})
}

func FuzzCredentials(f *testing.F) {
	const sound = `{"type":"external_account","audience":"//iam.googleapis.com/x","subject_token_type":"t","token_url":"https://sts.googleapis.com/v1/token",` +
		`"service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.example:generateAccessToken",`
	f.Add([]byte(sound + `"credential_source":{"file":"/token"}}`))
	f.Add([]byte(sound + `"credential_source":{"url":"https://platform.example/","format":{"type":"json","subject_token_field_name":"x"}}}`))
	f.Add([]byte(sound + `"credential_source":{"file":"/token","executable":{"command":"/bin/token"}}}`))
	f.Add([]byte(`{"type":"service_account","client_email":"a@b.example","private_key":"-----BEGIN PRIVATE KEY-----"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := parser{}.parse(content)
		if err != nil {
			if !connectors.IsText(err.Error()) {
				t.Errorf("the error %q is not fit for one line", err)
			}
			return
		}
		if (c.key == nil) == (c.external == nil) {
			t.Fatalf("credentials of no kind: %+v", c)
		}
		if e := c.external; e != nil && ((e.file == "") == (e.url == "") || !strings.Contains(e.stsURL, ".googleapis.com") || e.impersonationURL != "" && !strings.Contains(e.impersonationURL, ".googleapis.com")) {
			t.Errorf("accepted %+v", e)
		}
	})
}
