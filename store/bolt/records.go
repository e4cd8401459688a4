package bolt

import (
	"gatehouse/broker"
)

// The two functions of a record mirror each other line by line. What is in the key is not repeated in the value.
// A field is added by a new version of the record (see kind.version), which decode then tells apart; those before it
// stay readable.

func encodeAccount(e *encoder, a *broker.Account) {
	e.uint(a.Epoch)
	e.bool(a.Disabled)
	e.time(a.CreatedAt)
	e.uint(uint64(len(a.Identities)))
	for i := range a.Identities {
		e.digest(a.Identities[i])
	}
}

func decodeAccount(d *decoder, a *broker.Account) {
	a.Epoch = d.uint()
	a.Disabled = d.bool()
	a.CreatedAt = d.time()
	if n := d.count(1); n > 0 {
		a.Identities = make([]broker.Digest, n)
		for i := range a.Identities {
			a.Identities[i] = d.digest()
		}
	}
}

func encodeIdentity(e *encoder, l *broker.LinkedIdentity) {
	e.string(l.Key.Connector)
	e.string(l.Key.Issuer)
	e.string(l.Key.Subject)
	e.string(l.AccountID)
	e.uint(l.Epoch)
	encodeProfile(e, &l.Profile)
	e.time(l.LinkedAt)
	e.time(l.SeenAt)
}

func decodeIdentity(d *decoder, l *broker.LinkedIdentity) {
	l.Key.Connector = d.string()
	l.Key.Issuer = d.string()
	l.Key.Subject = d.string()
	l.AccountID = d.string()
	l.Epoch = d.uint()
	decodeProfile(d, &l.Profile)
	l.LinkedAt = d.time()
	l.SeenAt = d.time()
}

func encodeProfile(e *encoder, p *broker.Profile) {
	e.string(p.Name)
	e.string(p.GivenName)
	e.string(p.FamilyName)
	e.string(p.PreferredUsername)
	e.string(p.Email)
	e.uint(uint64(p.EmailTrust))
	e.string(p.Picture)
	e.string(p.Locale)
	e.strings(p.Groups)
}

func decodeProfile(d *decoder, p *broker.Profile) {
	p.Name = d.string()
	p.GivenName = d.string()
	p.FamilyName = d.string()
	p.PreferredUsername = d.string()
	p.Email = d.string()
	trust := d.uint()
	// An unknown degree of trust is damage, not "unknown": it must never become "verified" by a later constant.
	if trust > uint64(broker.EmailVerified) {
		d.fail()
	}
	p.EmailTrust = broker.EmailTrust(trust)
	p.Picture = d.string()
	p.Locale = d.string()
	p.Groups = d.strings()
}

func encodeSession(e *encoder, s *broker.Session) {
	e.digest(s.Secret)
	e.string(s.AccountID)
	e.uint(s.AccountEpoch)
	e.uint(s.Epoch)
	e.uint(uint64(len(s.SignIns)))
	for i := range s.SignIns {
		encodeSignIn(e, &s.SignIns[i])
	}
	e.strings(s.Clients)
	e.time(s.CreatedAt)
	e.time(s.UsedAt)
	e.time(s.IdleUntil)
	e.time(s.Expires)
	e.bool(s.Ended)
	e.time(s.Forget)
}

func decodeSession(d *decoder, s *broker.Session) {
	s.Secret = d.digest()
	s.AccountID = d.string()
	s.AccountEpoch = d.uint()
	s.Epoch = d.uint()
	if n := d.count(signInMinimum); n > 0 {
		s.SignIns = make([]broker.SignIn, n)
		for i := range s.SignIns {
			decodeSignIn(d, &s.SignIns[i])
		}
	}
	s.Clients = d.strings()
	s.CreatedAt = d.time()
	s.UsedAt = d.time()
	s.IdleUntil = d.time()
	s.Expires = d.time()
	s.Ended = d.bool()
	s.Forget = d.time()
}

// signInMinimum is the length of a SignIn with nothing in it.
const signInMinimum = 10

func encodeSignIn(e *encoder, in *broker.SignIn) {
	e.string(in.Connector)
	e.uint(in.ConnectorEpoch)
	e.digest(in.Identity)
	e.uint(in.IdentityEpoch)
	e.time(in.At)
	e.time(in.AuthTime)
	e.string(in.ACR)
	e.strings(in.AMR)
}

func decodeSignIn(d *decoder, in *broker.SignIn) {
	in.Connector = d.string()
	in.ConnectorEpoch = d.uint()
	in.Identity = d.digest()
	in.IdentityEpoch = d.uint()
	in.At = d.time()
	in.AuthTime = d.time()
	in.ACR = d.string()
	in.AMR = d.strings()
}

func encodeGrant(e *encoder, g *broker.Grant) {
	e.string(g.ClientID)
	e.string(g.AccountID)
	e.string(g.SessionID)
	e.string(g.Connector)
	e.digest(g.Identity)
	e.uint(g.Epochs.Account)
	e.uint(g.Epochs.Identity)
	e.uint(g.Epochs.Session)
	e.uint(g.Epochs.Client)
	e.uint(g.Epochs.Connector)
	e.strings(g.Scopes)
	e.time(g.AuthTime)
	e.string(g.ACR)
	e.strings(g.AMR)
	e.time(g.CreatedAt)
	e.bool(g.Offline)
	encodeRefresh(e, &g.Refresh)
	e.time(g.Forget)
	e.strings(g.Resources)
	e.strings(g.Claims.IDToken)
	e.strings(g.Claims.UserInfo)
}

func decodeGrant(d *decoder, g *broker.Grant) {
	g.ClientID = d.string()
	g.AccountID = d.string()
	g.SessionID = d.string()
	g.Connector = d.string()
	g.Identity = d.digest()
	g.Epochs.Account = d.uint()
	g.Epochs.Identity = d.uint()
	g.Epochs.Session = d.uint()
	g.Epochs.Client = d.uint()
	g.Epochs.Connector = d.uint()
	g.Scopes = d.strings()
	g.AuthTime = d.time()
	g.ACR = d.string()
	g.AMR = d.strings()
	g.CreatedAt = d.time()
	g.Offline = d.bool()
	decodeRefresh(d, &g.Refresh)
	g.Forget = d.time()
	if d.version < 2 {
		return
	}
	g.Resources = d.strings()
	g.Claims.IDToken = d.strings()
	g.Claims.UserInfo = d.strings()
}

func encodeRefresh(e *encoder, r *broker.Refresh) {
	e.digest(r.Current)
	e.uint(uint64(r.Generation))
	e.time(r.Expires)
	e.digest(r.Previous)
	e.bytes(r.Successor)
	e.time(r.SpentAt)
	e.bool(r.Retried)
}

func decodeRefresh(d *decoder, r *broker.Refresh) {
	r.Current = d.digest()
	r.Generation = d.uint32()
	r.Expires = d.time()
	r.Previous = d.digest()
	r.Successor = d.bytes()
	r.SpentAt = d.time()
	r.Retried = d.bool()
}

func encodeCode(e *encoder, c *broker.Code) {
	e.string(c.GrantID)
	e.string(c.ClientID)
	e.string(c.RedirectURI)
	e.bool(c.RedirectURISent)
	e.string(c.Challenge)
	e.string(c.Nonce)
	e.time(c.Expires)
	e.bool(c.Spent)
	e.time(c.SpentAt)
}

func decodeCode(d *decoder, c *broker.Code) {
	c.GrantID = d.string()
	c.ClientID = d.string()
	c.RedirectURI = d.string()
	c.RedirectURISent = d.bool()
	c.Challenge = d.string()
	c.Nonce = d.string()
	c.Expires = d.time()
	c.Spent = d.bool()
	c.SpentAt = d.time()
}

func encodeConsent(e *encoder, c *broker.Consent) {
	e.strings(c.Scopes)
	e.time(c.GivenAt)
}

func decodeConsent(d *decoder, c *broker.Consent) {
	c.Scopes = d.strings()
	c.GivenAt = d.time()
}

func encodeCredential(e *encoder, c *broker.Credential) {
	e.bytes(c.Sealed)
	e.bool(c.Reusable)
	e.time(c.AskedAt)
	e.time(c.AnsweredAt)
	e.time(c.FailingSince)
	e.string(c.Lease)
	e.time(c.LeaseUntil)
	e.bool(c.Spent)
	e.time(c.Forget)
}

func decodeCredential(d *decoder, c *broker.Credential) {
	c.Sealed = d.bytes()
	c.Reusable = d.bool()
	c.AskedAt = d.time()
	c.AnsweredAt = d.time()
	c.FailingSince = d.time()
	c.Lease = d.string()
	c.LeaseUntil = d.time()
	c.Spent = d.bool()
	c.Forget = d.time()
}

func encodeSwitch(e *encoder, s *broker.Switch) {
	e.uint(s.Epoch)
	e.bool(s.Disabled)
}

func decodeSwitch(d *decoder, s *broker.Switch) {
	s.Epoch = d.uint()
	s.Disabled = d.bool()
}

func encodeEvent(e *encoder, v *broker.Event) {
	e.string(string(v.Type))
	e.time(v.At)
	e.string(v.RequestID)
	e.string(v.Address)
	e.string(v.AccountID)
	e.string(v.ClientID)
	e.string(v.Connector)
	e.string(v.SessionID)
	e.string(v.GrantID)
	e.string(v.Detail)
}

func decodeEvent(d *decoder, v *broker.Event) {
	v.Type = broker.EventType(d.string())
	v.At = d.time()
	v.RequestID = d.string()
	v.Address = d.string()
	v.AccountID = d.string()
	v.ClientID = d.string()
	v.Connector = d.string()
	v.SessionID = d.string()
	v.GrantID = d.string()
	v.Detail = d.string()
}

// A key's Private is the sealed form here; keys.go opens it.
func encodeKey(e *encoder, k *broker.Key) {
	e.string(k.Algorithm)
	e.bytes(k.Private)
	e.time(k.PublishAt)
	e.time(k.SignAt)
	e.time(k.RetireAt)
	e.time(k.WithdrawAt)
	e.time(k.ForgetAt)
}

func decodeKey(d *decoder, k *broker.Key) {
	k.Algorithm = d.string()
	k.Private = d.bytes()
	k.PublishAt = d.time()
	k.SignAt = d.time()
	k.RetireAt = d.time()
	k.WithdrawAt = d.time()
	k.ForgetAt = d.time()
}
