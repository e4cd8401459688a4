package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
)

// KeyAlgorithm is how the key of a content is conveyed to a recipient (RFC 7518 §4.1), spelled exactly as in the "alg"
// member of a JWE.
type KeyAlgorithm string

// The key algorithms there are, and no others: RSA1_5 invites padding oracles (RFC 8725 §3.2), and dir and the
// symmetric ones need a secret that both sides have.
const (
	RSAOAEP256   KeyAlgorithm = "RSA-OAEP-256"
	ECDHES       KeyAlgorithm = "ECDH-ES"
	ECDHESA256KW KeyAlgorithm = "ECDH-ES+A256KW"
)

// ContentEncryption is how a content is encrypted and authenticated (RFC 7518 §5.1), as in "enc".
type ContentEncryption string

// The content encryptions there are.
const (
	A128GCM      ContentEncryption = "A128GCM"
	A256GCM      ContentEncryption = "A256GCM"
	A128CBCHS256 ContentEncryption = "A128CBC-HS256"
)

// KeyAlgorithms returns all of them, in the order in which they are advertised.
func KeyAlgorithms() []KeyAlgorithm { return []KeyAlgorithm{RSAOAEP256, ECDHES, ECDHESA256KW} }

// ContentEncryptions returns all of them, the default of OpenID Connect Registration §2 first.
func ContentEncryptions() []ContentEncryption {
	return []ContentEncryption{A128CBCHS256, A128GCM, A256GCM}
}

// Known says whether a is one of the constants, spelled exactly.
func (a KeyAlgorithm) Known() bool { return slices.Contains(KeyAlgorithms(), a) }

// Known says whether e is one of the constants, spelled exactly.
func (e ContentEncryption) Known() bool { return slices.Contains(ContentEncryptions(), e) }

// fits says whether the key is of the kind that the algorithm takes.
func (a KeyAlgorithm) fits(public crypto.PublicKey) bool {
	switch public.(type) {
	case *rsa.PublicKey:
		return a == RSAOAEP256
	case *ecdsa.PublicKey:
		return a == ECDHES || a == ECDHESA256KW
	}
	return false
}

// Recipient is somebody's public key and the one algorithm it is used with. The zero Recipient takes nothing.
type Recipient struct {
	ID        string // kid; "" when the key has none
	Algorithm KeyAlgorithm

	public crypto.PublicKey
}

// NewRecipient makes a Recipient of an *rsa.PublicKey or *ecdsa.PublicKey, which have to pass the checks of [NewKey] and
// to be of the kind of the algorithm; [ErrKey] otherwise, [ErrAlgorithm] for one that there is not.
func NewRecipient(public crypto.PublicKey, id string, alg KeyAlgorithm) (Recipient, error) {
	if !alg.Known() {
		return Recipient{}, fmt.Errorf("%w: no key is conveyed that way", ErrAlgorithm)
	}
	key, err := NewKey(public, id)
	if err != nil {
		return Recipient{}, err
	}
	if !alg.fits(key.public) {
		return Recipient{}, fmt.Errorf("%w: %s does not take this kind of key", ErrKey, alg)
	}
	return Recipient{ID: id, Algorithm: alg, public: key.public}, nil
}

// recipient is a key of a set that something may be encrypted to.
type recipient struct {
	id     string
	alg    KeyAlgorithm // the only one it may be used with; "" when it does not say
	marked bool         // use or key_ops say that it is for encryption
	public crypto.PublicKey
}

// rank orders keys that will all do: one that names the algorithm, then one that is marked for encryption.
func (r *recipient) rank() int {
	switch {
	case r.alg != "":
		return 2
	case r.marked:
		return 1
	}
	return 0
}

// Recipient returns the key of the set that is to be encrypted to with the algorithm, or [ErrNoKey]. Its kind has to be
// the algorithm's; use, key_ops and alg must not say otherwise (RFC 7517 §4.2 to §4.4). Of several it is one that names
// the algorithm, else one that says it is for encryption, else one that says nothing; among equals the first in the
// document, so that a set that does not change yields the same key each time.
func (s *KeySet) Recipient(alg KeyAlgorithm) (Recipient, error) {
	if !alg.Known() {
		return Recipient{}, fmt.Errorf("%w: no key is conveyed that way", ErrAlgorithm)
	}
	var best *recipient
	for i := range s.recipients {
		r := &s.recipients[i]
		if !alg.fits(r.public) || r.alg != "" && r.alg != alg {
			continue
		}
		if best == nil || r.rank() > best.rank() {
			best = r
		}
	}
	if best == nil {
		return Recipient{}, ErrNoKey
	}
	return Recipient{ID: best.id, Algorithm: alg, public: best.public}, nil
}

// recipient reads a JWK as a key to encrypt to. That it holds nothing private has been seen to. A key for signatures,
// and one of a kind or algorithm not implemented, is [errUnusable].
func (j jwk) recipient(kty string) (recipient, error) {
	marked, err := j.forEncryption(kty)
	if err != nil {
		return recipient{}, err
	}
	alg, err := j.text("alg")
	if err != nil {
		return recipient{}, err
	}
	r := recipient{alg: KeyAlgorithm(alg), marked: marked}
	if alg != "" && !r.alg.Known() || kty != "RSA" && kty != "EC" {
		return recipient{}, errUnusable
	}
	if r.public, err = j.public(kty); err != nil {
		return recipient{}, err
	}
	if alg != "" && !r.alg.fits(r.public) {
		return recipient{}, fmt.Errorf("%w: alg contradicts the kind of key", ErrKey)
	}
	if r.id, err = j.keyID(); err != nil {
		return recipient{}, err
	}
	_, err = NewKey(r.public, r.id)
	return r, err
}

// forEncryption: a key meant for signatures is never encrypted to. marked says that it says what it is for. The public
// half of a key agreement has no operation of its own: browsers export it with an empty list.
func (j jwk) forEncryption(kty string) (marked bool, err error) {
	use, ops, limited, err := j.purpose()
	has := func(op string) bool { return slices.Contains(ops, op) }
	switch {
	case err != nil:
		return false, err
	case use != "" && use != "enc",
		limited && kty == "RSA" && !has("encrypt") && !has("wrapKey"),
		limited && kty == "EC" && len(ops) > 0 && !has("deriveKey") && !has("deriveBits"):
		return false, errUnusable
	}
	return limited || use == "enc", nil
}
