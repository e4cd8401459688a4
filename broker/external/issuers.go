package external

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/jose"
	"gatehouse/broker/policy"
)

const (
	// skew is how far an issuer's clock may differ from ours.
	skew = 30 * time.Second
	// maxLifetime is how long a JWT may be good at most, so that its jti need not be
	// remembered for longer.
	maxLifetime = 24 * time.Hour
	maxToken    = 16 << 10
	maxID       = 256
)

// ErrRefused is every JWT that is not believed. What it was is in the text.
var ErrRefused = errors.New("external: the JWT is not accepted")

// ErrUnreachable is an issuer whose keys could not be had: nothing is known about
// the JWT.
var ErrUnreachable = errors.New("external: the issuer's keys cannot be fetched")

// Issuers are those that are configured.
type Issuers struct {
	list []broker.ExternalIssuer
	keys func(*broker.ExternalIssuer) jose.KeySource
	now  func() time.Time
}

// New makes Issuers. keys finds the keys of one.
func New(list []broker.ExternalIssuer, keys func(*broker.ExternalIssuer) jose.KeySource, now func() time.Time) *Issuers {
	return &Issuers{list: list, keys: keys, now: now}
}

// Issuer returns the one with an ID, or nil.
func (s *Issuers) Issuer(id string) *broker.ExternalIssuer {
	for i := range s.list {
		if s.list[i].ID == id {
			return &s.list[i]
		}
	}
	return nil
}

// Workload is what a JWT has proved.
type Workload struct {
	Issuer *broker.ExternalIssuer
	// Subject is the issuer's name for it.
	Subject string
	Expires time.Time
	// Once is to be consumed where the issuer's JWTs are taken a single time.
	Once []broker.Once
}

// Verify believes a JWT that the client presents, or answers [ErrRefused], or
// [ErrUnreachable] when that cannot be said. Which
// of several entries with one issuer is meant, the client decides: no two list it.
func (s *Issuers) Verify(ctx context.Context, raw, clientID string) (Workload, error) {
	unverified, err := jose.Peek(raw, jose.Limits{Size: maxToken})
	if err != nil {
		return Workload{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	issuer := s.of(unverified.Claims.Issuer, clientID)
	if issuer == nil {
		return Workload{}, fmt.Errorf("%w: it is of no issuer whose JWTs the client may present", ErrRefused)
	}
	expect := jose.Expectation{
		Algorithms: jose.Recommended(), Types: []string{"", "JWT"},
		Issuer: issuer.Issuer, Audience: issuer.Audiences[0], OtherAudiences: issuer.Audiences[1:],
		Require: []string{"sub", "exp", "iat"}, Now: s.now(), Skew: skew, MaxAge: issuer.MaxAge, MaxLifetime: maxLifetime,
	}
	token, err := unverified.Verify(ctx, s.keys(issuer), expect)
	if errors.Is(err, ErrUnreachable) {
		return Workload{}, err
	}
	if err != nil {
		return Workload{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	for _, rule := range issuer.Claims {
		if !holds(rule, token.Claims.Raw) {
			return Workload{}, fmt.Errorf("%w: the claim %s is not as configured", ErrRefused, rule.Name)
		}
	}
	return workload(issuer, &token.Claims)
}

func (s *Issuers) of(iss, clientID string) *broker.ExternalIssuer {
	for i := range s.list {
		if s.list[i].Issuer == iss && s.list[i].Takes(clientID) {
			return &s.list[i]
		}
	}
	return nil
}

func workload(issuer *broker.ExternalIssuer, c *jose.Claims) (Workload, error) {
	out := Workload{Issuer: issuer, Subject: c.Subject, Expires: c.Expiry}
	if !policy.ValidSubject(issuer.Workload(c.Subject)) {
		return Workload{}, fmt.Errorf("%w: its subject is longer than a sub may be, or not printable ASCII", ErrRefused)
	}
	if issuer.Once {
		if c.ID == "" || len(c.ID) > maxID {
			return Workload{}, fmt.Errorf("%w: it has no jti, or one that is too long", ErrRefused)
		}
		out.Once = []broker.Once{{Key: broker.DigestOf("external token\x00" + issuer.Issuer + "\x00" + c.ID), Expires: c.Expiry.Add(2 * skew)}}
	}
	return out, nil
}
