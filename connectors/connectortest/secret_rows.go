package connectortest

import (
	"strings"
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/connectortest/fake"
)

func secretRows() []row {
	return []row{
		{name: "the second secret is tried where the first is refused", test: testSecondSecret, secret: true},
		{name: "secrets that are all refused are the operator's matter", test: testRefusedSecrets, secret: true},
		{name: "a replaced secret needs no restart", test: testReplacedSecret, secret: true},
	}
}

// Two that no vendor knows, and one that it will know.
const (
	expiredSecret = "expired+secret/of last year"
	revokedSecret = "revoked+secret/of last month"
	freshSecret   = "fresh+secret/of this year"
)

func testSecondSecret(t *testing.T, s Subject) {
	b := s.Open(t, func(setup *Setup) { setup.Common.ClientSecret = connectors.Secrets{expiredSecret, ClientSecret} })
	b.MustSignIn(t)
	before := b.Vendor.Calls(fake.Token)
	if before <= s.Calls[fake.Token] {
		t.Errorf("the token endpoint was asked %d times, so the test is void", before)
	}
	b.MustSignIn(t)
	if n := b.Vendor.Calls(fake.Token) - before; n != s.Calls[fake.Token] {
		t.Errorf("the secret that was accepted was not the first to be tried afterwards: %d requests", n)
	}
	// Only a refused client is a reason to try the next.
	b.Vendor.Misbehave(fake.CodeAlreadyRedeemed)
	before = b.Vendor.Calls(fake.Token)
	b.Refused(t, connectors.Broken)
	if n := b.Vendor.Calls(fake.Token) - before; n != 1 {
		t.Errorf("a refused code was presented %d times", n)
	}
}

func testRefusedSecrets(t *testing.T, s Subject) {
	b := s.Open(t, func(setup *Setup) { setup.Common.ClientSecret = connectors.Secrets{expiredSecret, revokedSecret} })
	if e := b.Refused(t, connectors.Operator); e.Code == "" {
		t.Errorf("the vendor's code is not passed on: %v", e)
	}
	if n := b.Vendor.Calls(fake.Token); n != 2 {
		t.Errorf("two secrets were tried with %d requests", n)
	}
	if b.Connector.Check(t.Context()) == nil {
		t.Error("the connector is healthy")
	}
}

func testReplacedSecret(t *testing.T, s Subject) {
	const reference = "file:client-secret"
	b := s.Open(t, func(setup *Setup) {
		setup.Common.ClientSecret = connectors.Secrets{reference}
		setup.Secrets = map[string]string{reference: ClientSecret}
	})
	b.MustSignIn(t)
	b.Vendor.UpdateClient(ClientID, func(c *fake.Client) { c.Secret = freshSecret })
	b.Refused(t, connectors.Operator)
	b.SetSecret(reference, freshSecret)
	b.MustSignIn(t)
	// While the file is being replaced it may be gone for a moment.
	b.SetSecret(reference, "")
	b.MustSignIn(t)
	b.MustSignIn(t)
	if n := strings.Count(b.Log.String(), "last good"); n != 1 {
		t.Errorf("that a secret cannot be read was said %d times: %s", n, b.Log)
	}
}
