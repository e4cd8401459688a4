package fake

import (
	"net/http"
	"strconv"
)

// EntraRefusal is the misbehaviour of a token endpoint that answers a valid
// request with the refusal of this AADSTS number, one of EntraRefusals.
func EntraRefusal(number int) Misbehaviour {
	return Misbehaviour("token: refused with AADSTS" + strconv.Itoa(number))
}

// EntraRefusals are the numbers that EntraRefusal knows.
func EntraRefusals() []int {
	var out []int
	for _, r := range entraRefusals() {
		out = append(out, r.number)
	}
	return out
}

type entraRefusal struct {
	number         int
	status         int
	code, suberror string
	text           string
}

// entraRefusals are out of "Microsoft Entra authentication and authorization error
// codes"; error and suberror are those of "Microsoft identity platform and OAuth 2.0
// authorization code flow". The text is no more than a reminder: the vendor's
// changes.
func entraRefusals() []entraRefusal {
	bad, unauthorized := http.StatusBadRequest, http.StatusUnauthorized
	return []entraRefusal{
		{50020, bad, "invalid_grant", "", "User account from identity provider does not exist in tenant and cannot access the application."},
		{50034, bad, "invalid_grant", "", "The user account does not exist in the directory."},
		{50053, bad, "invalid_grant", "", "The account is locked."},
		{50055, bad, "invalid_grant", "", "The password is expired."},
		{50057, bad, "invalid_grant", "", "The user account is disabled."},
		{50076, bad, "interaction_required", "basic_action", "You must use multi-factor authentication to access."},
		{50079, bad, "interaction_required", "basic_action", "You must enroll in multi-factor authentication to access."},
		{50105, bad, "invalid_grant", "", "The signed in user is not assigned to a role for the application."},
		{50126, bad, "invalid_grant", "", "Error validating credentials due to invalid username or password."},
		{50132, bad, "invalid_grant", "", "The session is not valid due to password expiration or recent password change."},
		{50133, bad, "invalid_grant", "", "Session is invalid due to expiration or recent password change."},
		{50173, bad, "invalid_grant", "bad_token", "The provided grant has expired due to it being revoked, a fresh auth token is needed."},
		{50196, bad, "invalid_grant", "", "The server terminated an operation because it encountered a client request loop."},
		{53003, bad, "interaction_required", "message_only", "Access has been blocked by Conditional Access policies."},
		{530003, bad, "interaction_required", "message_only", "Your device is required to be managed to access this resource."},
		{54005, bad, "invalid_grant", "", "OAuth2 Authorization code was already redeemed."},
		{65001, bad, "invalid_grant", "consent_required", "The user or administrator has not consented to use the application."},
		{70008, bad, "invalid_grant", "", "The provided authorization code or refresh token has expired due to inactivity."},
		{70043, bad, "invalid_grant", "bad_token", "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access."},
		{700016, bad, "unauthorized_client", "", "Application was not found in the directory."},
		{700027, unauthorized, "invalid_client", "", "Client assertion failed signature validation."},
		{700082, bad, "invalid_grant", "", "The refresh token has expired due to inactivity."},
		{7000112, unauthorized, "unauthorized_client", "", "Application is disabled."},
		{7000215, unauthorized, "invalid_client", "", "Invalid client secret provided."},
		{7000222, unauthorized, "invalid_client", "", "The provided client secret keys are expired."},
		{90002, bad, "invalid_request", "", "Tenant not found."},
		{90033, http.StatusServiceUnavailable, "temporarily_unavailable", "", "A transient error has occurred. Please try again."},
	}
}

// scripted answers with the refusal that the script wants, if any.
func (f *Entra) scripted() (answer, bool) {
	for _, r := range entraRefusals() {
		if !f.script.hit(EntraRefusal(r.number)) {
			continue
		}
		a := f.aadsts(r.status, r.code, r.number, r.text)
		if r.suberror != "" {
			a = a.with(map[string]any{"suberror": r.suberror})
		}
		if r.code == "interaction_required" {
			a = a.with(map[string]any{"claims": capolids})
		}
		return a, true
	}
	return answer{}, false
}
