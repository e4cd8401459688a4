package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// A name that we do not know is a stranger's text.
func TestAClaimNobodyKnowsIsQuoted(t *testing.T) {
	t.Parallel()
	if got := ClaimSentence("shoe_size\u202e<b>" + strings.Repeat("x", 500)); !strings.HasPrefix(got, "See “shoe_size<b>x") || len(got) > 300 || strings.ContainsRune(got, '\u202e') {
		t.Errorf("a claim nobody knows is %q", got)
	}
}

func TestConsentShowsClaims(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newPages(t).Consent(w, Consent{ClientName: "Wiki", Scopes: []ScopeLine{{Scope: "openid"}, {Sentence: ClaimSentence("picture")}}})
	if body := w.Body.String(); !strings.Contains(body, "Recognise you when you come back") || !strings.Contains(body, "<span>See your picture</span>") {
		t.Error("a line is missing")
	}
}
