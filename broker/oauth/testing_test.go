package oauth_test

import (
	"errors"
	"testing"

	"gatehouse/broker/oauth"
)

// wantCode fails unless err is an *oauth.Error with the code, or nil where the code is empty.
func wantCode(t *testing.T, err error, code oauth.Code) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("got error %v, want none", err)
		}
		return
	}
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		t.Fatalf("got error %v of type %T, want an *oauth.Error with code %s", err, err, code)
	}
	if e.Code != code {
		t.Fatalf("got code %s (%v), want %s", e.Code, err, code)
	}
}
