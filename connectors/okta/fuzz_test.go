package okta_test

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/okta"
)

// Whatever a list holds, what comes out of it are names, one for each group.
func FuzzGroups(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"00g1","type":"OKTA_GROUP","profile":{"name":"Engineering","description":null}}]`, `[]`, `null`, `{}`, `[null]`, `[{"profile":null}]`,
		`[{"profile":{"name":""}}]`, `[{"profile":{"name":"a\nb"}}]`, `[{"profile":{"NAME":"a"}}]`, `[{"profile":{"name":"a","name":"b"}}]`, `[[[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		names, err := okta.ReadGroups(body)
		if err != nil && names != nil {
			t.Fatalf("an error came with %q", names)
		}
		for _, name := range names {
			if name == "" || !connectors.IsText(name) {
				t.Fatalf("%q is no name", name)
			}
		}
		if err == nil && len(names) > strings.Count(string(body), "{") {
			t.Fatalf("%d names out of %q", len(names), body)
		}
	})
}

func FuzzCode(f *testing.F) {
	for _, seed := range []string{
		`{"errorCode":"E0000047","errorCauses":[]}`, `{"error":"invalid_client"}`, `{"error":1,"errorCode":"E1"}`, `{"error":"a","error":"b"}`, `<html>`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if shown := connectors.SafeCode(okta.Code(body)); len(shown) > 64 || strings.ContainsAny(shown, "<>\"'\r\n ") {
			t.Fatalf("%q would be shown", shown)
		}
	})
}

// An ID stays one segment of a path, and means no other resource.
func FuzzUserID(f *testing.F) {
	for _, seed := range []string{"00u1ada0acme00000d7", "me", "00u/../me", "ada@acme.example", "00u%2e%2e", "00u?x", "00uäöüäöüäöü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sub string) {
		if !okta.IsUserID(sub) {
			return
		}
		u, err := url.Parse("https://acme.okta.com/api/v1/users/" + sub + "/groups")
		if err != nil || u.Path != "/api/v1/users/"+sub+"/groups" || strings.Count(u.Path, "/") != 5 || u.RawQuery != "" || sub == "me" {
			t.Fatalf("%q leads to %v", sub, u)
		}
	})
}
