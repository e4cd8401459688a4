package connectors

import (
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/oauth2"
)

// What a token endpoint says about its answer's type and status does not matter as
// long as the answer has one reading.
func TestRedeemReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	const object, form = ` {"access_token":"a","token_type":"bearer","expires_in":"3600"}`, "access_token=a&token_type=bearer"
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		token                   string // "" when there is none
	}{
		{"JSON", "application/json; charset=utf-8", object, 200, "a"},
		{"JSON that is called text", "text/plain; charset=utf-8", object, 200, "a"},
		{"JSON that is called a form", "application/x-www-form-urlencoded", object, 200, "a"},
		{"JSON without a type", "", object, 200, "a"},
		{"JSON, created", "application/json", object, 201, "a"},
		{"a form", "application/x-www-form-urlencoded", form, 200, "a"},
		{"a form that is called text", "text/plain", form, 200, "a"},
		{"a form that is called JSON", "application/json", form, 200, ""},
		{"an error with status 200", "text/plain", `{"error":"bad_verification_code"}`, 200, ""},
		{"an error", "application/json", `{"error":"invalid_grant"}`, 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tt.contentType}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			config := &oauth2.Config{ClientID: "c", Endpoint: oauth2.Endpoint{TokenURL: address, AuthStyle: oauth2.AuthStyleInParams}}
			token, answer, err := newFetcher(t, "").Redeem(t.Context(), config, "c", "v")
			if err != nil || string(answer.Body) != tt.body || answer.OK() != (tt.status < 300) {
				t.Fatalf("got %+v, %v", answer, err)
			}
			if got := answer.Header.Get("Content-Type"); got != tt.contentType {
				t.Errorf("the answer's own header was changed to %q", got)
			}
			if (token != nil) != (tt.token != "") || token != nil && token.AccessToken != tt.token {
				t.Errorf("got token %v, want %q", token, tt.token)
			}
		})
	}
}
