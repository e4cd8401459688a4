package oauth

// Limits, in bytes, of what a client hands us to give back unchanged. Both travel in our cookies, and state in our
// redirects, so they are bounded; over the limit the request is refused, as a value cut short would be a wrong one.
const (
	MaxState = 2 << 10
	MaxNonce = 512
)

// ValidateState refuses a state that is too long to be given back byte for byte (RFC 6749 §4.1.2). Nothing else is
// asked of it: its content is the client's affair.
func ValidateState(state string) error {
	if len(state) > MaxState {
		return Errorf(InvalidRequest, "state is longer than %d bytes", MaxState)
	}
	return nil
}

// ValidateNonce refuses a nonce that is too long for the ID token that has to repeat it (OpenID Connect Core §3.1.2.1).
func ValidateNonce(nonce string) error {
	if len(nonce) > MaxNonce {
		return Errorf(InvalidRequest, "nonce is longer than %d bytes", MaxNonce)
	}
	return nil
}
