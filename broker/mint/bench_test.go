package mint

import (
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/seal"
)

func benchMinter(b *testing.B) *Minter {
	b.Helper()
	return minterOf(b, newRing(b, &clock{now: moment()}, "RS256", "ES256"), "")
}

func BenchmarkIDToken(b *testing.B) {
	m := benchMinter(b)
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) {
			p := idTokenParams()
			p.Client.IDTokenAlg, p.AccessToken, p.Nonce = alg, "eyJhbGciOiJFUzI1NiJ9", "n-0S6_WzA2Mj"
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.IDToken(b.Context(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAccessToken(b *testing.B) {
	m := benchMinter(b)
	p := accessTokenParams()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.AccessToken(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadAccessToken(b *testing.B) {
	m := benchMinter(b)
	token, _, err := m.AccessToken(b.Context(), accessTokenParams())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("first time", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.verified = newMemory(1)
			if _, err := m.ReadAccessToken(b.Context(), token, moment()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.ReadAccessToken(b.Context(), token, moment()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpaqueAccessToken(b *testing.B) {
	m := benchMinter(b)
	p := accessTokenParams()
	p.Client.OpaqueAccessTokens = true
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.AccessToken(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadOpaqueAccessToken(b *testing.B) {
	m := benchMinter(b)
	p := accessTokenParams()
	p.Client.OpaqueAccessTokens = true
	token, _, err := m.AccessToken(b.Context(), p)
	if err != nil {
		b.Fatal(err)
	}
	for name, memory := range map[string]int{"first time": 0, "again": maxRemembered} {
		b.Run(name, func(b *testing.B) {
			m.verified = newMemory(max(memory, 2))
			b.ReportAllocs()
			for b.Loop() {
				if memory == 0 {
					m.verified = newMemory(2)
				}
				if _, err := m.ReadAccessToken(b.Context(), token, moment()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncryptedTokens(b *testing.B) {
	v := newVault(b)
	m := v.minter(b)
	id, access := idTokenParams(), accessTokenParams()
	id.Client = v.client()
	access.Audience, access.Recipient = []string{api}, v.resource()
	token, _, err := m.AccessToken(b.Context(), access)
	if err != nil {
		b.Fatal(err)
	}
	for name, run := range map[string]func() error{
		"ID token":                     func() error { _, err := m.IDToken(b.Context(), id); return err },
		"access token":                 func() error { _, _, err := m.AccessToken(b.Context(), access); return err },
		"access token inspected again": func() error { _, err := m.InspectAccessToken(b.Context(), token, moment()); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReadIDTokenHint(b *testing.B) {
	m := benchMinter(b)
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) {
			p := idTokenParams()
			p.Client.IDTokenAlg = alg
			token, err := m.IDToken(b.Context(), p)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.ReadIDTokenHint(b.Context(), token, moment()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLinter(b *testing.B) {
	l := newLinter(issuer, DefaultMaxLifetime)
	for b.Loop() {
		if err := l.check("at+jwt", []byte(accessPayload), intent{subject: "a", clientID: "wiki"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCode(b *testing.B) {
	m := benchMinter(b)
	id := broker.NewID(moment())
	for b.Loop() {
		code, _, err := m.NewCode(id)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := m.ParseCode(code); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefreshToken(b *testing.B) {
	m := benchMinter(b)
	id := broker.NewID(moment())
	b.ReportAllocs()
	for b.Loop() {
		token, _, err := m.NewRefreshToken(id, 1)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.ParseRefreshToken(token); err != nil {
			b.Fatal(err)
		}
		if len(SealSuccessor(token, token)) != len(token)+seal.Overhead {
			b.Fatal("not sealed")
		}
	}
}
