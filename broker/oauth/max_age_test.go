package oauth_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse/broker/oauth"
)

func TestParseMaxAge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     time.Duration
		present  bool
		code     oauth.Code
	}{
		{"absent", "", 0, false, ""},
		{"zero is present: it asks for a fresh sign-in", "0", 0, true, ""},
		{"seconds", "3600", time.Hour, true, ""},
		{"the largest", "4294967295", 4294967295 * time.Second, true, ""},
		{"one more than the largest", "4294967296", 0, false, oauth.InvalidRequest},
		{"more than 64 bits (AZ-14)", strings.Repeat("9", 40), 0, false, oauth.InvalidRequest},
		{"negative (AZ-14)", "-1", 0, false, oauth.InvalidRequest},
		{"negative zero", "-0", 0, false, oauth.InvalidRequest},
		{"a plus sign", "+1", 0, false, oauth.InvalidRequest},
		{"a leading zero (AZ-14)", "01", 0, false, oauth.InvalidRequest},
		{"two zeros", "00", 0, false, oauth.InvalidRequest},
		{"an exponent (AZ-14)", "1e309", 0, false, oauth.InvalidRequest},
		{"a fraction", "1.5", 0, false, oauth.InvalidRequest},
		{"a space", " 1", 0, false, oauth.InvalidRequest},
		{"hexadecimal", "0x10", 0, false, oauth.InvalidRequest},
		{"an underscore", "1_000", 0, false, oauth.InvalidRequest},
		{"digits outside ASCII", "١", 0, false, oauth.InvalidRequest},
		{"a word", "NaN", 0, false, oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, present, err := oauth.ParseMaxAge(tt.in)
			wantCode(t, err, tt.code)
			if got != tt.want || present != tt.present {
				t.Errorf("got %v %v, want %v %v", got, present, tt.want, tt.present)
			}
		})
	}
}

func TestStateAndNonceAreRefusedOverTheirLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		validate func(string) error
		in       string
		code     oauth.Code
	}{
		{"no state (AZ-15)", oauth.ValidateState, "", ""},
		{"state in any script (AZ-15)", oauth.ValidateState, "état \r\n\"<script>", ""},
		{"state of 2 KiB", oauth.ValidateState, strings.Repeat("s", oauth.MaxState), ""},
		{"state of 2 KiB and a byte", oauth.ValidateState, strings.Repeat("s", oauth.MaxState+1), oauth.InvalidRequest},
		{"state of 4 KiB (AZ-15)", oauth.ValidateState, strings.Repeat("s", 4<<10), oauth.InvalidRequest},
		{"bytes count, not characters", oauth.ValidateState, strings.Repeat("é", oauth.MaxState/2+1), oauth.InvalidRequest},
		{"nonce of 512 bytes", oauth.ValidateNonce, strings.Repeat("n", oauth.MaxNonce), ""},
		{"nonce of 513 bytes", oauth.ValidateNonce, strings.Repeat("n", oauth.MaxNonce+1), oauth.InvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, tt.validate(tt.in), tt.code)
		})
	}
}
