package mint

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
)

// ErrRecipient: there is no key to encrypt to what is for a client or a resource server, because its keys cannot be
// fetched or none of them is of the kind that it is registered with. Nothing is issued in the clear instead.
var ErrRecipient = errors.New("mint: no key to encrypt to")

// nestedContent is the cty of a JWT within (RFC 7519 §5.2).
const nestedContent = "JWT"

// Ready fetches the keys that ID tokens and userinfo answers for a client are encrypted to, so that nothing is spent
// when they cannot be had: [ErrRecipient].
func (m *Minter) Ready(ctx context.Context, client *broker.Client) error {
	for _, e := range [...]broker.Encryption{client.IDTokenEncryption, client.UserInfoEncryption} {
		if e.IsZero() {
			continue
		}
		if _, err := m.recipient(ctx, clientkeys.OwnerOf(client), e); err != nil {
			return err
		}
	}
	return nil
}

// ReadyFor is [Minter.Ready] for access tokens that are for a resource server; nil needs nothing.
func (m *Minter) ReadyFor(ctx context.Context, resource *broker.Resource) error {
	if resource == nil || resource.Encryption.IsZero() {
		return nil
	}
	_, err := m.resourceKey(ctx, resource)
	return err
}

// recipient finds the key of an owner to encrypt to.
func (m *Minter) recipient(ctx context.Context, owner clientkeys.Owner, e broker.Encryption) (jose.Recipient, error) {
	if m.keys == nil || !jose.ContentEncryption(e.Enc).Known() {
		return jose.Recipient{}, fmt.Errorf("%w of %s: nothing is encrypted with %q here", ErrRecipient, owner.ID, e.Enc)
	}
	to, err := m.keys.Recipient(ctx, owner, jose.KeyAlgorithm(e.Alg))
	if err != nil {
		return jose.Recipient{}, fmt.Errorf("%w of %s for %q: %w", ErrRecipient, owner.ID, e.Alg, err)
	}
	return to, nil
}

// resourceKey finds the key of the client entry of a resource server.
func (m *Minter) resourceKey(ctx context.Context, resource *broker.Resource) (jose.Recipient, error) {
	if m.clients == nil {
		return jose.Recipient{}, fmt.Errorf("%w: no client entries are known", ErrRecipient)
	}
	client, err := m.clients.Client(ctx, resource.ClientID)
	if err != nil {
		return jose.Recipient{}, fmt.Errorf("%w: client entry of %s: %w", ErrRecipient, resource.URI, err)
	}
	return m.recipient(ctx, clientkeys.OwnerOf(client), resource.Encryption)
}

// draft is a JWT before it is signed.
type draft struct {
	alg, typ string
	claims   []byte
	intent   intent
}

// nested signs a draft, and if the client wants it encrypts the result (OpenID Connect Core §10.2): in this order, so
// that the signature is about the claims (§16.14), and with the type said outside too (RFC 8725 §3.11).
func (m *Minter) nested(ctx context.Context, client *broker.Client, e broker.Encryption, d draft) (string, error) {
	if e.IsZero() {
		return m.sign(d.alg, d.typ, d.claims, d.intent)
	}
	to, err := m.recipient(ctx, clientkeys.OwnerOf(client), e)
	if err != nil {
		return "", err
	}
	signed, err := m.sign(d.alg, d.typ, d.claims, d.intent)
	if err != nil {
		return "", err
	}
	return to.Encrypt(jose.ContentEncryption(e.Enc), []byte(signed), jose.Envelope{Type: d.typ, ContentType: nestedContent})
}

// encryptAccess returns an access token that only the resource server can read (RFC 9068 §6), with the broker's own
// form of it in the header, by which the broker knows it again.
func (m *Minter) encryptAccess(ctx context.Context, a *access, alg string, claims []byte) (string, error) {
	if !slices.Equal(a.audience, []string{a.recipient.URI}) {
		return "", fmt.Errorf("%w: it is encrypted for one of several, or for another", ErrBeyondGrant)
	}
	to, err := m.resourceKey(ctx, a.recipient)
	if err != nil {
		return "", err
	}
	signed, err := m.sign(alg, accessTokenType, claims, a.intent)
	if err != nil {
		return "", err
	}
	return to.Encrypt(jose.ContentEncryption(a.recipient.Encryption.Enc), []byte(signed), jose.Envelope{
		Type: accessTokenType, ContentType: nestedContent,
		Private: map[string]string{referenceMember: m.opaque.SealString(claims, []byte(referenceForm))},
	})
}
