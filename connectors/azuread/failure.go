package azuread

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// classify goes by Entra's numbers: error_codes of the token endpoint, and at the
// callback the one its description begins with. The text behind it is prose that
// changes.
func classify(f oidc.Failure) *connectors.Error {
	code := number(f)
	if code == 0 || f.Status == http.StatusTooManyRequests {
		return nil
	}
	for _, known := range numbers {
		if slices.Contains(known.codes, code) {
			return &connectors.Error{Kind: known.kind, Code: "AADSTS" + strconv.Itoa(code), Hint: known.hint}
		}
	}
	e := oidc.StandardFailure(f)
	e.Code = "AADSTS" + strconv.Itoa(code)
	return e
}

func number(f oidc.Failure) int {
	if len(f.Codes) > 0 {
		return f.Codes[0]
	}
	rest, ok := strings.CutPrefix(f.Description, "AADSTS")
	if !ok {
		return 0
	}
	digits, _, ok := strings.Cut(rest, ":")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return 0
	}
	return n
}

var numbers = []struct {
	codes []int
	kind  connectors.Kind
	hint  string
}{
	{[]int{50011}, connectors.Operator, "register this connector's callback URL as a redirect URI of type Web"},
	{[]int{700016, 90002, 900023, 650053}, connectors.Operator, "Entra does not know the application, the directory or a scope: check client_id, tenant and scopes"},
	{[]int{7000215}, connectors.Operator, "client_secret is wrong: it is the secret's value, not its ID"},
	{[]int{7000222}, connectors.Operator, "client_secret has expired: make a new one"},
	{[]int{700027, 7000218}, connectors.Operator, "Entra does not accept how the client authenticates"},
	{[]int{65001, 90094, 90095}, connectors.Operator, "consent is missing: have an administrator grant it for the application"},
	{[]int{65004}, connectors.Declined, "the person did not consent to the application"},
	{[]int{50020}, connectors.NotAllowed, "the account is not in the directory: invite it as a guest"},
	{[]int{50105}, connectors.NotAllowed, "the person is not assigned to the application"},
	{[]int{50034, 50053, 50057}, connectors.Declined, "the account is unknown, locked or disabled"},
	{[]int{53000, 53001, 53002, 53003, 53004, 530003}, connectors.Declined, "a Conditional Access policy blocks the sign-in"},
	{[]int{50058, 16000, 50072, 50074, 50076, 50078, 50079}, connectors.Interaction, "Entra wants something from the person: a sign-in, an account or a second factor"},
	{[]int{54005, 70008, 70043, 50173}, connectors.Broken, "the code was not accepted: it was used before or has expired"},
	{[]int{90033, 90024, 90006}, connectors.Transient, "Entra reports a passing fault of its own"},
}
