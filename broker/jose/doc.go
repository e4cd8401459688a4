// Package jose is the strict door in front of go-jose: every JWT that enters, from an upstream or from a client, enters
// here, and so does every JSON document whose members decide something (discovery, userinfo, token responses, key sets).
//
// Its law:
//   - A text has one reading. What two parsers could understand differently is refused: a member twice at any depth, a
//     member whose name differs from a known one only in case (encoding/json would match it), base64url with padding,
//     line breaks or stray trailing bits, invalid UTF-8, unpaired surrogates, data behind the end.
//   - The key decides the algorithm, never the header (RFC 8725 §3.1): a header can only choose among what the
//     caller's allow-list and the key both permit. Keys that travel in headers (jwk, jku, x5u, x5c) are never trusted
//     and nothing is ever fetched. "none" does not exist here; symmetric algorithms exist only in [VerifyMAC].
//   - Size comes before work: the length is checked before anything is split, the depth and the members while scanning.
//   - A check that is not wanted is waived in so many words ([Expectation.AnyIssuer]); a forgotten one is an error.
//
// [Verify] is the way in. [Peek] reads without verifying, for those who must know the sender before they can choose the
// key; what it returns is called [Unverified]. [StrictUnmarshal] and [StrictObject] read plain JSON under the same law.
//
// The one way out is [Recipient.Encrypt]: to somebody else's public key, with an allow-list of algorithms. On the way in
// encrypted tokens (JWE) are refused, for no private key is kept to open them with; [ReadEnvelope] reads what is written
// outside. Signing is not done here.
package jose
