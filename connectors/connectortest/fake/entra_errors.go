package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// aadsts is the error shape of Entra ID's token endpoint ("Microsoft Entra
// authentication and authorization error codes"). Whoever branches on it
// looks at error, suberror and error_codes, never at the text.
func (f *Entra) aadsts(status int, code string, number int, text string) answer {
	trace, correlation, stamp := guid(), guid(), f.opts.Now().UTC().Format("2006-01-02 15:04:05Z")
	return answer{status: status, body: map[string]any{
		"error":             code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, text, trace, correlation, stamp),
		"error_codes":       []int{number}, "timestamp": stamp, "trace_id": trace, "correlation_id": correlation,
		"error_uri": f.at("/error?code=" + strconv.Itoa(number)),
	}}
}

// with adds members to an aadsts answer.
func (a answer) with(members map[string]any) answer {
	for name, value := range members {
		a.body.(map[string]any)[name] = value
	}
	return a
}

// guid is a random GUID (RFC 9562 §5.4).
func guid() string {
	b := unb64(random("", 16))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (f *Entra) refuse(t trouble, r *request, detail string) *refusal {
	page := func(number int, text string) *refusal {
		return &refusal{status: http.StatusBadRequest, code: "AADSTS" + strconv.Itoa(number), description: text}
	}
	back := func(code string, number int, text string) *refusal {
		return &refusal{code: code, description: fmt.Sprintf("AADSTS%d: %s", number, text), uri: f.at("/error?code=" + strconv.Itoa(number))}
	}
	switch t {
	case unknownClient:
		return page(700016, "Application with identifier '"+detail+"' was not found in the directory.")
	case redirectUnregistered:
		return page(50011, "The redirect URI '"+detail+"' specified in the request does not match the redirect URIs configured for the application.")
	case parameterRepeated:
		return page(9002313, "Invalid request. The parameter '"+detail+"' occurs twice.")
	case accountElsewhere:
		return page(50020, "User account '"+detail+"' does not exist in this tenant and cannot access the application.")
	case accountSuspended:
		return page(50057, "The account of "+detail+" is disabled.")
	case policyDenies:
		return back("access_denied", 50105, "The signed in user '"+detail+"' is not assigned to a role for the application.")
	case signInCancelled:
		return &refusal{code: "access_denied", extra: url.Values{"error_subcode": {"cancel"}}}
	case signInRequired:
		return back("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")
	case responseTypeBad:
		return back("unsupported_response_type", 70005, "response_type '"+detail+"' is not supported.")
	case scopeBad:
		if detail == "" {
			return back("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
		}
		return back("invalid_client", 650053, "The application asked for scope '"+detail+"' that doesn't exist on the resource.")
	case pkceBad, pkceRequired:
		return back("invalid_request", 501491, "The code challenge is missing or not acceptable.")
	}
	return back("invalid_request", 90023, "Invalid request. The parameter '"+detail+"' is not acceptable.")
}

// readScopes takes the scopes of OpenID Connect and those of Graph ("Scopes and
// permissions in the Microsoft identity platform"); scopes of two
// resources at once are refused, and a bare unknown name is looked for in Graph.
func (f *Entra) readScopes(r *request) *refusal {
	all := strings.Fields(r.params.Get("scope"))
	if len(all) == 0 {
		return f.refuse(scopeBad, r, "")
	}
	for _, scope := range all {
		switch scope {
		case "openid", "profile", "email", "offline_access":
			r.scopes = append(r.scopes, scope)
			continue
		}
		name, graph := strings.CutPrefix(scope, graphResource)
		if !graph {
			name, graph = strings.CutPrefix(scope, f.GraphURL()+"/")
		}
		switch {
		case !graph && strings.Contains(scope, "/"):
			return f.refuse(scopeBad, r, "") // of another resource
		case name != ".default" && !knownGraphScope(name):
			return f.refuse(scopeBad, r, scope)
		}
		r.scopes = append(r.scopes, graphResource+name)
	}
	return nil
}

// authContext reads the authentication context out of the claims parameter
// ("Developer guide to Conditional Access authentication context"):
// {"id_token":{"acrs":{"essential":true,"value":"c1"}}}.
func authContext(claims string) (acr string, ok bool) {
	if claims == "" {
		return "", true
	}
	var doc struct {
		IDToken struct {
			ACRS struct {
				Value  string   `json:"value"`
				Values []string `json:"values"`
			} `json:"acrs"`
		} `json:"id_token"`
	}
	if json.Unmarshal([]byte(claims), &doc) != nil {
		return "", false
	}
	if len(doc.IDToken.ACRS.Values) > 0 {
		return doc.IDToken.ACRS.Values[0], true
	}
	return doc.IDToken.ACRS.Value, true
}

func (f *Entra) tokenRefusal(no reason, detail string) answer {
	bad := func(code string, number int, text string) answer {
		return f.aadsts(http.StatusBadRequest, code, number, text)
	}
	switch no {
	case methodNotAllowed:
		return bad("invalid_request", 900561, "The endpoint only accepts POST requests.")
	case clientUnidentified:
		return bad("unauthorized_client", 700016, "Application with identifier '"+detail+"' was not found in the directory.")
	case clientNoSecret:
		return f.aadsts(http.StatusUnauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case clientBadSecret:
		return f.aadsts(http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided.")
	case parameterMissing, parameterTwice:
		return bad("invalid_request", 900144, "The request body must contain the following parameter once: '"+detail+"'.")
	case grantTypeUnknown:
		return bad("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
	case codeReused:
		return bad("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	case codeExpired, refreshExpired:
		return bad("invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity.")
	case redirectDiffers:
		return bad("invalid_client", 50011, "The reply URL specified in the request does not match the one of the authorization request.")
	case verifierWrong:
		return bad("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	case refreshRevoked, refreshReused:
		return bad("invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed.").with(map[string]any{"suberror": "bad_token"})
	case accountDisabled:
		return bad("invalid_grant", 50057, "The user account is disabled.")
	case scopeUnknown:
		return bad("invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.")
	}
	return bad("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
}

// fault is Graph's shape for Graph and AADSTS for the rest.
func (f *Entra) fault(e Endpoint, fault Fault) answer {
	a := f.aadsts(statusOf(fault), "server_error", 90033, "A transient error has occurred. Please try again.")
	switch {
	case e == Userinfo || strings.HasPrefix(string(e), "graph"):
		codes := map[Fault]string{
			Unauthorized: "InvalidAuthenticationToken", Forbidden: "Authorization_RequestDenied", NotFound: "Request_ResourceNotFound",
			TooManyRequests: "TooManyRequests", Unavailable: "serviceNotAvailable",
		}
		code := codes[fault]
		if code == "" {
			code = "generalException"
		}
		a = f.graphError(statusOf(fault), code, "emulated fault")
	case fault == Unavailable || fault == TooManyRequests:
		a = a.with(map[string]any{"error": "temporarily_unavailable"})
	}
	a.header = retryHeader(fault)
	return a
}
