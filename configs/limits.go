package configs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"gatehouse/connectors"
)

// Rate is how often something may happen: Count times at once, and after that Count times in every Per. The zero Rate
// is no limit. It is written 60/m, with s, m or h, or off.
type Rate struct {
	Count int
	Per   time.Duration
}

// Off reports whether there is no limit.
func (r Rate) Off() bool { return r.Count == 0 }

// PerSecond is the steady rate, for a token bucket; infinite when off.
func (r Rate) PerSecond() float64 {
	if r.Off() {
		return math.Inf(1)
	}
	return float64(r.Count) / r.Per.Seconds()
}

// Burst is the size of the bucket.
func (r Rate) Burst() int { return r.Count }

// String is the rate as it is written.
func (r Rate) String() string {
	if r.Off() {
		return Off
	}
	unit := map[time.Duration]string{time.Second: "s", time.Minute: "m", time.Hour: "h"}[r.Per]
	return fmt.Sprintf("%d/%s", r.Count, unit)
}

// maxRate bounds the count of a rate: beyond it, off is what is meant.
const maxRate = 1_000_000

func (r *Rate) fromText(s string) error {
	wrong := fmt.Errorf("must be a rate such as 60/m (s, m or h; up to %d), or off", maxRate)
	if s == Off {
		*r = Rate{}
		return nil
	}
	count, unit, ok := strings.Cut(s, "/")
	n, err := strconv.ParseUint(count, 10, 32)
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if !ok || err != nil || n == 0 || n > maxRate || per == 0 {
		return wrong
	}
	*r = Rate{Count: int(n), Per: per}
	return nil
}

// Limits are the rates above which the answer is 429 with Retry-After. An address is what the trusted proxies say it
// is, of IPv6 the network of 64 bits. Anonymous requests are counted per address alone: if strangers could use up a
// client's rate they could shut it out.
type Limits struct {
	Authorize    AuthorizeLimits    `yaml:"authorize"`
	Login        LoginLimits        `yaml:"login"`
	Token        TokenLimits        `yaml:"token"`
	UserInfo     UserInfoLimits     `yaml:"userinfo"`
	Device       DeviceLimits       `yaml:"device"`
	Registration RegistrationLimits `yaml:"registration"`
}

// AuthorizeLimits are for /authorize and the pages that follow it.
type AuthorizeLimits struct {
	PerAddress Rate `yaml:"per_address"`
	// PerAccount counts what is issued to somebody who is signed in already: an application that redirects in a circle.
	PerAccount Rate `yaml:"per_account"`
}

// LoginLimits are for /login and /callback.
type LoginLimits struct {
	PerAddress Rate `yaml:"per_address"`
	// PerAccount counts sign-ins that succeeded at the upstream.
	PerAccount Rate `yaml:"per_account"`
}

// TokenLimits are for /token.
type TokenLimits struct {
	PerAddress Rate `yaml:"per_address"`
	// PerClient counts requests of clients that have authenticated.
	PerClient Rate `yaml:"per_client"`
	// PerAccount counts tokens issued for one person.
	PerAccount Rate `yaml:"per_account"`
}

// UserInfoLimits are for /userinfo.
type UserInfoLimits struct {
	PerAddress Rate `yaml:"per_address"`
	PerAccount Rate `yaml:"per_account"`
}

// DeviceLimits are for /device. Its clients call /device_authorization at the rates of /token.
type DeviceLimits struct {
	// PerAddress and PerAccount count codes that are typed, whether or not a device shows them (RFC 8628 §5.1). PerAddress
	// counts devices that are started for public clients too, apart from those.
	PerAddress Rate `yaml:"per_address"`
	PerAccount Rate `yaml:"per_account"`
	// Anonymous counts those that all together type who are not signed in: whoever guesses from everywhere does not shut
	// out people who are.
	Anonymous Rate `yaml:"anonymous"`
}

// RegistrationLimits are for /register.
type RegistrationLimits struct {
	// PerAddress counts every request there.
	PerAddress Rate `yaml:"per_address"`
	// PerToken counts what is registered with one initial access token.
	PerToken Rate `yaml:"per_token"`
}

// defaultLimits leave room for an office of some thousand people behind one address on a Monday morning, and for an
// application that asks for every request; they stop one program that runs wild.
func defaultLimits() Limits {
	perMinute := func(n int) Rate { return Rate{n, time.Minute} }
	return Limits{
		Authorize: AuthorizeLimits{PerAddress: perMinute(3000), PerAccount: perMinute(120)},
		Login:     LoginLimits{PerAddress: perMinute(3000), PerAccount: perMinute(30)},
		Token:     TokenLimits{PerAddress: perMinute(6000), PerClient: perMinute(6000), PerAccount: perMinute(300)},
		UserInfo:  UserInfoLimits{PerAddress: perMinute(12000), PerAccount: perMinute(1200)},
		// 300 guesses a minute find one of 100 live codes once in some 77,000 times of 10 minutes: there are 20^8.
		Device:       DeviceLimits{PerAddress: perMinute(30), PerAccount: perMinute(30), Anonymous: perMinute(300)},
		Registration: RegistrationLimits{PerAddress: perMinute(120), PerToken: perMinute(60)},
	}
}

// fromText reads the word off, which lifts every limit.
func (l *Limits) fromText(s string) error {
	if s != Off {
		return errors.New("must be off or a mapping of endpoints to rates")
	}
	*l = Limits{}
	return nil
}

// Validate finds nothing: a Rate that could be read is a good one.
func (l Limits) Validate() []connectors.Problem { return nil }
