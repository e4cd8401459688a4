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
	name := "AADSTS" + strconv.Itoa(code)
	for _, known := range numbers() {
		if !slices.Contains(known.codes, code) {
			continue
		}
		e := &connectors.Error{Kind: known.kind, Code: name, Hint: known.hint}
		if f.Step == oidc.AtRefresh && known.gone {
			e.Kind = connectors.Gone
		}
		if f.Step != oidc.AtCallback {
			if known.client {
				e.Err = connectors.ErrClientRefused
			}
			// Entra looks at a refresh token after it has accepted the client, and one that
			// it does not answer for a fault of its own stays good.
			e.Unspent = known.kind == connectors.Operator || known.kind == connectors.Transient
		}
		return e
	}
	e := oidc.StandardFailure(f)
	e.Code = name
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

// meaning is what is to be made of a number.
type meaning struct {
	codes []int
	kind  connectors.Kind
	// gone says that at a refresh it is about the person's grant or account, and final.
	gone bool
	// client says that it is what we authenticate with that was refused.
	client bool
	hint   string
}

// numbers are out of "Microsoft Entra authentication and authorization error codes".
// The hints say where to click in the Entra admin center (entra.microsoft.com).
func numbers() []meaning {
	return slices.Concat(registrationNumbers(), personNumbers(), passingNumbers())
}

// registrationNumbers are about what the operator set up.
func registrationNumbers() []meaning {
	const secrets = "App registrations > the application > Certificates & secrets"
	fixed := func(hint string, codes ...int) meaning {
		return meaning{codes: codes, kind: connectors.Operator, hint: hint}
	}
	credentials := func(hint string, codes ...int) meaning {
		return meaning{codes: codes, kind: connectors.Operator, client: true, hint: hint}
	}
	return []meaning{
		fixed("the redirect URI is not registered: under App registrations > the application > Authentication > Add a platform > Web, add this connector's callback URL byte for byte", 50011),
		fixed("the application has no redirect URI: under App registrations > the application > Authentication > Add a platform > Web, add this connector's callback URL", 500113),
		fixed("the application is not in the directory: check client_id (Overview > Application (client) ID), and that tenant is the directory it is registered in; another directory's administrator has to consent before its people can use it", 700016, 700011),
		fixed("the directory does not exist: check tenant (Overview > Directory (tenant) ID), and authority if it lives in a national cloud", 90002, 900023, 900021, 50059),
		fixed("the application is for one directory alone: set tenant to its ID, or change App registrations > the application > Authentication > Supported account types", 50194),
		fixed("a scope is not known: check scopes, which may name one resource beside openid, profile and email", 650053, 70011, 28002),
		fixed("the application asks for permissions it is not registered for: add them under App registrations > the application > API permissions, then Grant admin consent", 65005, 650056, 650057, 500011),
		fixed("the application is disabled in the directory: enable it under Enterprise applications > the application > Properties > Enabled for users to sign-in", 7000112, 70001),
		fixed("consent is missing: "+consent+" (for all of the application's permissions)", 65001, 90094, 90095),
		fixed("the claim configuration of the registration needs a signing key of its own, which is not supported: remove the custom claims policy", 50146),
		credentials("client_secret is wrong: it is the secret's Value, not its Secret ID, and of this application ("+secrets+" > Client secrets)", 7000215, 70002),
		credentials("client_secret has expired: make a new one ("+secrets+" > Client secrets > New client secret) and list it beside the old one", 7000222),
		credentials("no client credential arrived, or the application is registered as a public client: its redirect URI has to be of the platform Web", 7000218, 700025),
		credentials("Entra does not accept the client assertion: check that client_certificate is uploaded ("+secrets+" > Certificates), has not expired, and that the clock is right", 700027, 700024, 700023, 700021, 700030, 1000502, 50012, 50013, 50027, 500133),
		credentials("no federated credential of the application fits federated_token_file: compare issuer, subject and audience ("+secrets+" > Federated credentials)", 70021, 700211, 700212, 700213, 700222),
	}
}

// personNumbers are about the person, their account and what they were granted.
func personNumbers() []meaning {
	return []meaning{
		{codes: []int{65004}, kind: connectors.Declined, hint: "the person did not consent to the application"},
		{codes: []int{50020, 50014, 51004, 16003, 90072}, kind: connectors.NotAllowed, hint: "the account is not in the directory: invite it as a guest (Users > New user > Invite external user), or let the person choose an account of this directory"},
		{codes: []int{500208, 500212, 500213, 500021}, kind: connectors.NotAllowed, hint: "the directory's cross-tenant access or account type rules keep this account out"},
		{codes: []int{50105}, kind: connectors.NotAllowed, hint: "the person is not assigned to the application: Enterprise applications > the application > Users and groups > Add user/group, or Properties > Assignment required > No"},
		{codes: []int{50034, 50053, 50057}, kind: connectors.Declined, gone: true, hint: "the account is unknown, locked or disabled"},
		{codes: []int{50055, 50056, 50126, 50144}, kind: connectors.Declined, gone: true, hint: "the password is wrong or has expired"},
		{codes: []int{53000, 53001, 53002, 53003, 53004, 53010, 53011, 50131, 530003, 530034, 530035}, kind: connectors.Declined, hint: "a Conditional Access policy blocks the sign-in: Monitoring > Sign-in logs says which"},
		{codes: []int{50058, 16000, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50135, 50158}, kind: connectors.Interaction, hint: "Entra wants something from the person: a sign-in, an account or a second factor"},
		{codes: []int{54005, 70008, 70000, 70043, 50089, 50132, 50133, 50173, 700082, 700084}, kind: connectors.Broken, gone: true, hint: "the code or refresh token was not accepted: it was used before, has expired, or was revoked"},
	}
}

// passingNumbers are faults of Entra's own. 50196 is its way of saying that we ask
// too often.
func passingNumbers() []meaning {
	return []meaning{
		{codes: []int{90033, 90024, 90006, 90012, 50033, 50087, 50196}, kind: connectors.Transient, hint: "Entra reports a passing fault of its own"},
	}
}
