package configs

import (
	"math"
	"testing"
	"time"
)

func TestLifetimeBounds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, content, want string }{
		{"a code of more than a minute", "{code: 61s}", "code: must be from 1s to 1m: a code has to survive one redirect"},
		{"a code of no time", "{code: 0s}", "code: must be from 1s"},
		{"a negative lifetime", "{access_token: -1s}", "access_token: must be from 10s to 24h"},
		{"an access token of days", "{access_token: 25h}", "access_token: must be from 10s to 24h: whoever checks only its signature"},
		{"an ID token of days", "{id_token: 25h}", "id_token: must be from 10s to 24h"},
		{"a refresh token of years", "{refresh_token: 20000h}", "refresh_token: must be from 1m to 8784h"},
		{"a session of a year", "{session: 8000h}", "session: must be from 1m to 2160h"},
		{"idleness of no time", "{session_idle: 0s}", "session_idle: must be from 1m to 2160h"},
		{"idleness longer than the session", "{session: 1h, session_idle: 2h}", "session_idle: must not be longer than session (1h)"},
		{"a device code of seconds", "{device_code: 30s}", "device_code: must be from 1m to 1h: somebody has to find a browser"},
		{"a device code of a day", "{device_code: 24h}", "device_code: must be from 1m to 1h"},
		{"a refresh token shorter than the access token", "{access_token: 2h, refresh_token: 90m}", "refresh_token: must not be shorter than access_token (2h)"},
		{"a fraction of a second", "{access_token: 90500ms}", "access_token: must be whole seconds"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, minimal+"lifetimes: "+row.content+"\n", "4: lifetimes."+row.want)
		})
	}
	wantProblems(t, minimal+"refresh_tokens: {retry_window: 31s}\n", "4: refresh_tokens.retry_window: must be from 0s to 30s")
	wantProblems(t, minimal+"refresh_tokens: {retry_window: -1s}\n", "4: refresh_tokens.retry_window: must be from 0s to 30s")
}

func TestLifetimesOfAClient(t *testing.T) {
	t.Parallel()
	wantProblems(t, minimal+wiki+"    lifetimes: {access_token: 0s}\n", "8: clients[0].lifetimes.access_token: must be from 10s")
	wantProblems(t, minimal+wiki+"    lifetimes: {session: 1h}\n", "8: clients[0].lifetimes.session: unknown key")
	wantProblems(t, minimal+wiki+"    lifetimes: {refresh_token: 1m}\n", "8: clients[0].lifetimes: refresh_token (1m) must not be shorter than access_token (15m)")
	c := mustLoad(t, minimal+wiki+"    lifetimes: {access_token: 5m}\n")
	clients, err := c.BrokerClients(plain)
	if err != nil {
		t.Fatal(err)
	}
	if l := clients[0].Lifetimes; l.AccessToken != 5*time.Minute || l.Code != 0 || l.Session != 0 {
		t.Errorf("lifetimes: %+v", l)
	}
}

func TestDurationsAreShownAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0s", time.Minute: "1m", 90 * time.Second: "1m30s", 720 * time.Hour: "720h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s"} {
		if got := short(d); got != want {
			t.Errorf("%v is shown as %s, want %s", d, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+"limits: off\n")
	if c.Limits != (Limits{}) || !c.Limits.Token.PerClient.Off() {
		t.Errorf("limits: off leaves %+v", c.Limits)
	}
	c = mustLoad(t, minimal+"limits: {token: {per_client: 120/m, per_address: 5/s, per_account: off}}\n")
	token := c.Limits.Token
	if token.PerClient.PerSecond() != 2 || token.PerClient.Burst() != 120 || token.PerAddress != (Rate{5, time.Second}) || !token.PerAccount.Off() {
		t.Errorf("limits: %+v", token)
	}
	c = mustLoad(t, minimal+"limits: {device: {per_account: 5/m}, registration: {per_token: 1/h, per_address: off}}\n")
	if l := c.Limits; l.Device != (DeviceLimits{PerAddress: Rate{30, time.Minute}, PerAccount: Rate{5, time.Minute}, Anonymous: Rate{300, time.Minute}}) ||
		l.Registration != (RegistrationLimits{PerToken: Rate{1, time.Hour}}) {
		t.Errorf("limits: %+v", l)
	}
	if c.Limits.Login != defaultLimits().Login {
		t.Error("limits of one endpoint change those of another")
	}
	if !math.IsInf(Rate{}.PerSecond(), 1) {
		t.Error("off is not without limit")
	}
	for _, wrong := range []string{"60", "60/d", "0/m", "-1/m", "60/m/s", "/m", "60/", "1000001/s", "1.5/s", "+5/s", "ON"} {
		wantProblems(t, minimal+"limits: {login: {per_account: '"+wrong+"'}}\n", "4: limits.login.per_account: must be a rate such as 60/m")
	}
	for _, right := range []string{"1/s", "60/m", "1000000/h", "off"} {
		var r Rate
		if err := r.fromText(right); err != nil || r.String() != right {
			t.Errorf("%s is read as %s, %v", right, r, err)
		}
	}
}

func TestWordsOfOtherSections(t *testing.T) {
	t.Parallel()
	wantProblems(t, minimal+"signing: {id_token: HS256}\n", "4: signing.id_token: must be one of RS256, ")
	wantProblems(t, minimal+"signing: {access_token: es256}\n", "4: signing.access_token: must be one of RS256, ")
	wantProblems(t, minimal+"log: {format: xml}\n", "4: log.format: must be text or json")
	c := mustLoad(t, minimal+wiki+"    id_token_signed_response_alg: EdDSA\n    access_token_signed_response_alg: RS256\n")
	if got := c.SigningAlgorithms(); len(got) != 3 || got[0] != "RS256" || got[1] != "ES256" || got[2] != "EdDSA" {
		t.Errorf("algorithms: %v", got)
	}
}
