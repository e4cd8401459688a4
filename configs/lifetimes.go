package configs

import (
	"time"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// Lifetimes say how long what is issued lives, in whole seconds.
type Lifetimes struct {
	Code         time.Duration `yaml:"code"`
	AccessToken  time.Duration `yaml:"access_token"`
	IDToken      time.Duration `yaml:"id_token"`
	RefreshToken time.Duration `yaml:"refresh_token"`
	// Session is how long a sign-in serves later applications without asking again; SessionIdle ends it earlier when it
	// is not used.
	Session     time.Duration `yaml:"session"`
	SessionIdle time.Duration `yaml:"session_idle"`
	// DeviceCode is how long somebody has to type the code that a device shows, and to decide (RFC 8628 §3.2).
	DeviceCode time.Duration `yaml:"device_code"`
}

// ClientLifetimes are a client's own. Nil means the broker's. A session belongs to the browser and has none.
type ClientLifetimes struct {
	Code         *time.Duration `yaml:"code"`
	AccessToken  *time.Duration `yaml:"access_token"`
	IDToken      *time.Duration `yaml:"id_token"`
	RefreshToken *time.Duration `yaml:"refresh_token"`
}

func defaultLifetimes() Lifetimes {
	return Lifetimes{
		Code:         60 * time.Second,
		AccessToken:  15 * time.Minute,
		IDToken:      15 * time.Minute,
		RefreshToken: 720 * time.Hour,
		Session:      24 * time.Hour,
		SessionIdle:  8 * time.Hour,
		DeviceCode:   10 * time.Minute,
	}
}

// bound is the range a lifetime may have, and why.
type bound struct {
	key         string
	least, most time.Duration
	why         string
}

func (b bound) check(f *faults, d time.Duration) {
	switch {
	case d < b.least || d > b.most:
		f.add(b.key, "must be from %s to %s: %s", short(b.least), short(b.most), b.why)
	case d%time.Second != 0:
		f.add(b.key, "must be whole seconds: expires_in and the times in tokens are")
	}
}

// short writes a duration as an operator would: 720h, not 720h0m0s.
func short(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if n := len(s) - len(zero); n > 0 && s[n:] == zero {
			s = s[:n+1]
		}
	}
	return s
}

const day = 24 * time.Hour

func codeBound() bound {
	// RFC 6749 §4.1.2 allows ten minutes at most; a browser needs one redirect.
	return bound{"code", time.Second, 60 * time.Second, "a code has to survive one redirect and nothing more"}
}

func accessTokenBound() bound {
	return bound{"access_token", 10 * time.Second, day,
		"whoever checks only its signature accepts a revoked one until it expires, and a shorter one dies of clocks that differ"}
}

func idTokenBound() bound {
	return bound{"id_token", 10 * time.Second, day,
		"it states that somebody has just signed in, and a shorter one dies of clocks that differ"}
}

func refreshTokenBound() bound {
	return bound{"refresh_token", time.Minute, 366 * day, "an application that has not been used for a year can ask again"}
}

func sessionBound() bound {
	return bound{"session", time.Minute, 90 * day, "a stolen cookie is good for as long, and signing keys are kept that much longer"}
}

// Validate checks each bound, and that none outlives what it hangs on.
func (l Lifetimes) Validate() []connectors.Problem {
	var f faults
	codeBound().check(&f, l.Code)
	accessTokenBound().check(&f, l.AccessToken)
	idTokenBound().check(&f, l.IDToken)
	refreshTokenBound().check(&f, l.RefreshToken)
	sessionBound().check(&f, l.Session)
	bound{"session_idle", time.Minute, 90 * day, "people read for a while between two clicks"}.check(&f, l.SessionIdle)
	// RFC 8628 §5.1: the fewer codes are live at a time, the harder one is to guess.
	bound{"device_code", time.Minute, time.Hour, "somebody has to find a browser, and guessing has to stay hopeless"}.check(&f, l.DeviceCode)
	if l.SessionIdle > l.Session {
		f.add("session_idle", "must not be longer than session (%s): the session ends then anyway", short(l.Session))
	}
	if l.RefreshToken < l.AccessToken {
		f.add("refresh_token", "must not be shorter than access_token (%s): it is there to replace it", short(l.AccessToken))
	}
	return f
}

// Validate checks the bounds of those that are set.
func (l ClientLifetimes) Validate() []connectors.Problem {
	var f faults
	for _, one := range []struct {
		bound
		set *time.Duration
	}{{codeBound(), l.Code}, {accessTokenBound(), l.AccessToken}, {idTokenBound(), l.IDToken}, {refreshTokenBound(), l.RefreshToken}} {
		if one.set != nil {
			one.check(&f, *one.set)
		}
	}
	return f
}

// validateClientLifetimes checks a client's own lifetimes beside those it takes from the broker.
func (c *Config) validateClientLifetimes() []connectors.Problem {
	var f faults
	for i, client := range c.Clients {
		if client.Lifetimes == (ClientLifetimes{}) {
			continue // what is wrong then is said of the broker's
		}
		all := client.Lifetimes.broker().Or(c.Lifetimes.Broker())
		if all.RefreshToken < all.AccessToken {
			f.add(element("clients", i)+".lifetimes", "refresh_token (%s) must not be shorter than access_token (%s): it is there to replace it",
				short(all.RefreshToken), short(all.AccessToken))
		}
	}
	return f
}

// Broker returns the lifetimes as the rest of the program knows them.
func (l Lifetimes) Broker() broker.Lifetimes {
	return broker.Lifetimes{Code: l.Code, AccessToken: l.AccessToken, IDToken: l.IDToken,
		RefreshToken: l.RefreshToken, Session: l.Session, SessionIdle: l.SessionIdle}
}

func (l ClientLifetimes) broker() broker.Lifetimes {
	value := func(d *time.Duration) time.Duration {
		if d == nil {
			return 0 // the broker's own
		}
		return *d
	}
	return broker.Lifetimes{Code: value(l.Code), AccessToken: value(l.AccessToken), IDToken: value(l.IDToken),
		RefreshToken: value(l.RefreshToken)}
}
