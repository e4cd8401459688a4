package oauth

// ResponseMode is how the authorization response travels back (response_mode).
type ResponseMode string

// The response modes.
const (
	ResponseModeQuery      ResponseMode = "query"       // OAuth 2.0 Multiple Response Type Encoding Practices §2.1
	ResponseModeFragment   ResponseMode = "fragment"    // OAuth 2.0 Multiple Response Type Encoding Practices §2.1
	ResponseModeFormPost   ResponseMode = "form_post"   // OAuth 2.0 Form Post Response Mode
	ResponseModeWebMessage ResponseMode = "web_message" // draft-meyerzuselhaus-oauth-web-message-response-mode
)

// ParseResponseMode reads response_mode for a request with response type t; empty is t's default. An unknown mode is
// invalid_request, and so is query for a response that holds a token: it would end in server logs and Referer headers
// (Multiple Response Type Encoding Practices §3.0, §5). Whether the client may use the mode is the caller's question.
func ParseResponseMode(s string, t ResponseType) (ResponseMode, error) {
	switch m := ResponseMode(s); m {
	case "":
		return t.DefaultMode(), nil
	case ResponseModeFragment, ResponseModeFormPost, ResponseModeWebMessage:
		return m, nil
	case ResponseModeQuery:
		if t.DefaultMode() == ResponseModeFragment {
			return "", Errorf(InvalidRequest, "response_mode query cannot carry tokens")
		}
		return m, nil
	default:
		return "", Errorf(InvalidRequest, "response_mode is not supported")
	}
}
