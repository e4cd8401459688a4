package oauth_test

import (
	"strings"
	"testing"

	"gatehouse/broker/oauth"
)

// The pair of RFC 7636 Appendix B.
const (
	rfcVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	rfcChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestValidateChallenge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, challenge, method string
		code                    oauth.Code
	}{
		{"S256", rfcChallenge, "S256", ""},
		{"neither challenge nor method", "", "", ""},
		{"no method means plain, which is refused", rfcChallenge, "", oauth.InvalidRequest},
		{"plain is refused (AZ-05)", rfcVerifier, "plain", oauth.InvalidRequest},
		{"an unknown method (AZ-05)", rfcChallenge, "S257", oauth.InvalidRequest},
		{"case matters", rfcChallenge, "s256", oauth.InvalidRequest},
		{"a method without a challenge (AZ-05)", "", "S256", oauth.InvalidRequest},
		{"plain without a challenge", "", "plain", oauth.InvalidRequest},
		{"42 characters (AZ-05)", rfcChallenge[:42], "S256", oauth.InvalidRequest},
		{"44 characters", rfcChallenge + "A", "S256", oauth.InvalidRequest},
		{"129 characters (AZ-05)", strings.Repeat("a", 129), "S256", oauth.InvalidRequest},
		{"padding", rfcChallenge[:42] + "=", "S256", oauth.InvalidRequest},
		{"the alphabet of base64", strings.Replace(rfcChallenge, "-", "+", 1), "S256", oauth.InvalidRequest},
		{"characters of a verifier but not of base64url", strings.Replace(rfcChallenge, "-", "~", 1), "S256", oauth.InvalidRequest},
		{"a space", rfcChallenge[:42] + " ", "S256", oauth.InvalidRequest},
		{"a letter outside ASCII", rfcChallenge[:41] + "é", "S256", oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, oauth.ValidateChallenge(tt.challenge, tt.method), tt.code)
		})
	}
}

func TestVerifyPKCE(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	longest := strings.Repeat(alphabet, 2)[:128]
	tooLong, tooShort := longest+"a", rfcVerifier[:42]
	spaced := rfcVerifier[:42] + " "
	for _, tt := range []struct {
		name, challenge, verifier string
		code                      oauth.Code
	}{
		{"the pair of RFC 7636 Appendix B", rfcChallenge, rfcVerifier, ""},
		{"128 characters of the whole alphabet", oauth.S256(longest), longest, ""},
		{"no PKCE at all", "", "", ""},
		{"a missing verifier fails (TK-05)", rfcChallenge, "", oauth.InvalidGrant},
		{"a verifier without a challenge fails: downgrade (TK-07)", "", rfcVerifier, oauth.InvalidGrant},
		{"a wrong verifier fails (TK-05)", rfcChallenge, strings.ToUpper(rfcVerifier), oauth.InvalidGrant},
		{"the challenge is not its own verifier (TK-05)", rfcChallenge, rfcChallenge, oauth.InvalidGrant},
		{"42 characters fail even if they match (TK-05)", oauth.S256(tooShort), tooShort, oauth.InvalidGrant},
		{"129 characters fail even if they match (TK-05)", oauth.S256(tooLong), tooLong, oauth.InvalidGrant},
		{"a forbidden character fails even if it matches", oauth.S256(spaced), spaced, oauth.InvalidGrant},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, oauth.VerifyPKCE(tt.challenge, tt.verifier), tt.code)
		})
	}
}

// TestPKCERefusalsSayWhatIsWrong: several faults would be caught by a later check as well, with a sentence that sends
// the client's developer the wrong way.
func TestPKCERefusalsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		says string
	}{
		{oauth.ValidateChallenge("", "S256"), "without code_challenge"},
		{oauth.ValidateChallenge(rfcChallenge, ""), "code_challenge_method is missing"},
		{oauth.ValidateChallenge(rfcChallenge, "plain"), "must be S256"},
		{oauth.ValidateChallenge("x", "S256"), "43 characters"},
		{oauth.VerifyPKCE("", rfcVerifier), "issued without code_challenge"},
		{oauth.VerifyPKCE(rfcChallenge, ""), "code_verifier is missing"},
		{oauth.VerifyPKCE(rfcChallenge, "x"), "43 to 128"},
		{oauth.VerifyPKCE(rfcChallenge, rfcChallenge), "does not match"},
	} {
		if got := oauth.From(tt.err).Description; !strings.Contains(got, tt.says) {
			t.Errorf("description %q, want one with %q", got, tt.says)
		}
	}
}

func TestNewVerifierFulfilsItsOwnChallenge(t *testing.T) {
	t.Parallel()
	a, b := oauth.NewVerifier(), oauth.NewVerifier()
	if a == b {
		t.Fatal("two verifiers are the same")
	}
	wantCode(t, oauth.ValidateChallenge(oauth.S256(a), oauth.ChallengeMethodS256), "")
	wantCode(t, oauth.VerifyPKCE(oauth.S256(a), a), "")
	wantCode(t, oauth.VerifyPKCE(oauth.S256(a), b), oauth.InvalidGrant)
}
