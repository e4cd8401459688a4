package consent

import (
	"strings"
	"testing"

	"gatehouse/broker/policy"
	"gatehouse/web"
)

// What a person is asked about is in words, and no two things in the same.
func TestEveryClaimHasASentenceOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, claim := range policy.ClaimNames() {
		sentence := web.ClaimSentence(claim)
		if other, again := seen[sentence]; again || !strings.HasPrefix(sentence, "See ") || strings.ContainsAny(sentence, "“_") {
			t.Errorf("%s is %q, and so is %q", claim, sentence, other)
		}
		seen[sentence] = claim
	}
}
