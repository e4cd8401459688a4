package flow

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

// Whatever a browser sends as a flow, it is one that we sealed for that name and
// that is still young, or none.
func FuzzFlowCookie(f *testing.F) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	j := jar(f, "https://sso.example", &now)
	// The same in every process of a fuzzer: only the sealing differs.
	good := &Flow{ID: "Pk-qF36fTuMtfwXeOTrp", Kind: ForClient, Started: now.Unix(), Request: &broker.AuthorizationRequest{ClientID: "wiki", State: "s"}}
	w := httptest.NewRecorder()
	if err := j.Put(w, httptest.NewRequest(http.MethodGet, "/", nil), good); err != nil {
		f.Fatal(err)
	}
	sealed := w.Result().Cookies()[0].Value
	for _, value := range []string{sealed, sealed[1:], sealed + "A", sealed[:len(sealed)-1] + "A", sealed + "\n", sealed + "; a=b", "\"" + sealed + "\"",
		"", "x", strings.Repeat("A", 4000), "AQAAAA"} {
		f.Add(good.ID, value)
	}
	f.Add("", sealed)
	f.Add("../"+good.ID, sealed)
	f.Fuzz(func(t *testing.T, id, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", j.prefix+id+"="+value)
		got, err := j.Take(r, id)
		if err != nil {
			if !errors.Is(err, ErrNoFlow) || got != nil {
				t.Fatalf("%v, %v", got, err)
			}
			return
		}
		// A header goes on behind a semicolon; net/http takes white space and quotation
		// marks off a value.
		spelt, _, _ := strings.Cut(value, ";")
		if id != good.ID || !canonical(strings.Trim(spelt, "\" \t\r\n")) || !reflect.DeepEqual(got, good) {
			t.Fatalf("the cookie %q of %q is %+v", value, id, got)
		}
	})
}

// canonical reports whether a value is in its one spelling.
func canonical(value string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	return err == nil && base64.RawURLEncoding.EncodeToString(raw) == value
}

// A state that opens is one that we sealed, in its one spelling.
func FuzzUpstreamState(f *testing.F) {
	keys, err := seal.New([]byte(strings.Repeat("k", 32)))
	if err != nil {
		f.Fatal(err)
	}
	states := NewStates(keys)
	want := UpstreamState{Flow: "f", Connector: "corp", Nonce: "n", ClientID: `wiki "<&>`}
	sealed := states.Seal(want)
	for _, s := range []string{sealed, sealed[1:], sealed + "=", sealed + "\n", "", "AQAAAA", strings.Repeat("A", 5000), strings.ToUpper(sealed)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, state string) {
		got, err := states.Open(state)
		switch {
		case err != nil && (!errors.Is(err, ErrNoFlow) || got != (UpstreamState{})):
			t.Fatalf("%q: %+v, %v", state, got, err)
		case err == nil && (!canonical(state) || got != want):
			t.Fatalf("%q is %+v", state, got)
		}
	})
}
