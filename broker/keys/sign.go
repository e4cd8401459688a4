package keys

import "errors"

// errNotSigned guards Sign's callers against an empty token.
var errNotSigned = errors.New("keys: nothing to sign")

// Sign returns the compact JWS (RFC 7515 §7.1) of payload under the key of the algorithm that signs now, with alg, kid
// and typ in its header. The payload is the JSON of the claims. [ErrNoKey] when the schedule has no such algorithm.
func (r *Ring) Sign(alg, typ string, payload []byte) (string, error) {
	if len(payload) == 0 || typ == "" {
		return "", errNotSigned
	}
	k := r.state.Load().signing(alg, r.now())
	if k == nil {
		return "", ErrNoKey
	}
	return k.sign(typ, payload)
}
