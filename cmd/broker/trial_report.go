package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"gatehouse/broker"
	"gatehouse/connectors"
)

// sheet prints titles, and rows of a name and what there is to say, in two columns.
type sheet struct {
	w io.Writer
	t *tabwriter.Writer
}

func (s *sheet) flush() {
	if s.t != nil {
		_ = s.t.Flush() // a closed terminal is noticed by whoever prints the result
		s.t = nil
	}
}

func (s *sheet) title(text string) {
	s.flush()
	fmt.Fprintf(s.w, "\n%s\n", text)
}

func (s *sheet) row(name, text string) {
	if s.t == nil {
		s.t = tabwriter.NewWriter(s.w, 0, 0, 2, ' ', 0)
	}
	fmt.Fprintf(s.t, "  %s\t%s\n", name, plain(text))
}

// plain keeps an upstream's words from steering the terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return '·'
		}
		return r
	}, text)
}

func list(values []string) string { return cmp.Or(strings.Join(values, ", "), "none") }

// invite says where to register what, where to go, and what can be seen on the way there that does not come back.
func (t *trial) invite(address string) {
	known := adviceOf(t.about.Type)
	p := func(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }
	p("Testing connector %s (%s) as it is configured.\n\n", t.about.ID, known.title)
	if t.way.own {
		p("The redirect URI is the broker's own. It has to be registered at the provider, to the byte:\n")
	} else {
		p("For this test one more redirect URI has to be registered at the provider, to the byte; the broker does not use it:\n")
	}
	p("\n  %s\n  (%s)\n\n", t.way.redirectURI, known.register)
	if t.way.because != "" {
		p("The address that the browser ends on has to be pasted, because %s.\n", t.way.because)
	}
	p("Open this address in a browser:\n\n  %s\n\n", address)
	if t.way.listener == nil {
		p(`When you have signed in, the browser ends on a page at %s
that says "This sign-in is over", or does not load because the broker does not run. Copy the whole address of that
page and paste it here`, t.login.RedirectURI)
		if known.hurry != "" {
			p(" soon: %s", known.hurry)
		}
		p(".\n")
	} else {
		p("If that browser is on another machine, it ends on a page that does not load: paste its address here.\n")
	}
	p("\nWaiting for up to %s. If the browser shows one of these, nothing will come back; press Ctrl-C:\n", t.timeout)
	t.stuck()
	p("\n")
}

// stuck lists what a browser may show that does not come back.
func (t *trial) stuck() {
	for _, page := range adviceOf(t.about.Type).pages {
		fmt.Fprintf(t.out, "  - %s\n      %s\n", page.shows, plain(t.fill(page.fix)))
	}
}

// report says what came back. It prints nothing of the tokens.
func (t *trial) report(address string, id broker.Identity, up connectors.Upstream) {
	s := &sheet{w: t.out}
	s.title("Signed in")
	s.row("connector", id.Key.Connector)
	s.row("issuer", id.Key.Issuer)
	s.row("subject", id.Key.Subject)
	s.row("name", cmp.Or(id.Profile.Name, "none"))
	if id.Profile.PreferredUsername != "" {
		s.row("user name", id.Profile.PreferredUsername)
	}
	s.row("e-mail", emailLine(id.Profile, up.Report))
	t.reportGroups(s, id, up)
	t.reportScopes(s, address, up)
	t.reportAuthentication(s, id, up)
	t.reportClock(s, up.Report)
	t.reportCredentials(s)
	if len(up.Report.Notes) > 0 {
		s.title("Worth knowing")
		for _, note := range up.Report.Notes {
			s.row("-", note)
		}
	}
	s.flush()
}

func emailLine(p broker.Profile, r connectors.Report) string {
	line := "none"
	if p.Email != "" {
		line = p.Email + ": " + p.EmailTrust.String()
	}
	if r.EmailEvidence != "" {
		line += " (" + r.EmailEvidence + ")"
	}
	return line
}

// reportGroups says where groups were found, and what the rules leave of them.
func (t *trial) reportGroups(s *sheet, id broker.Identity, up connectors.Upstream) {
	s.title("Groups")
	source := up.Report.GroupSource
	if source == "" && len(id.Profile.Groups) == 0 {
		source = "nowhere: this connector, as configured, reads none"
	}
	s.row("found", cmp.Or(source, "the connector does not say where"))
	if id.KeepGroups {
		s.row("here", "those of the last sign-in (on_group_failure): they could not be read now")
		return
	}
	if len(t.rules.Allow) == 0 {
		s.row("here", list(id.Profile.Groups))
		return
	}
	var all []string // by the names they have there
	for _, name := range id.Profile.Groups {
		all = append(all, strings.TrimPrefix(name, t.about.ID+":"))
	}
	s.row("there", list(all))
	s.row("here", list(t.rules.Apply(t.about.ID, all)))
	s.row("left out", list(slices.DeleteFunc(all, func(g string) bool { return slices.Contains(t.rules.Allow, g) }))+" (groups.allow)")
}

// reportScopes compares what was asked for with what was granted.
func (t *trial) reportScopes(s *sheet, address string, up connectors.Upstream) {
	s.title("Scopes")
	var asked []string
	if u, err := url.Parse(address); err == nil {
		asked = strings.Fields(u.Query().Get("scope"))
	}
	s.row("asked for", list(asked))
	s.row("granted", list(up.Scopes))
	missing := slices.DeleteFunc(slices.Clone(asked), func(one string) bool {
		return slices.ContainsFunc(up.Scopes, func(other string) bool { return sameScope(one, other) })
	})
	if len(missing) > 0 {
		s.row("missing", list(missing)+": whether that matters shows above")
	}
}

// sameScope knows that Google answers with the long names of email and profile, and Entra with Graph's in front.
func sameScope(asked, granted string) bool {
	return asked == granted || strings.HasSuffix(granted, "/"+asked) ||
		strings.HasSuffix(granted, "/auth/userinfo."+asked) || asked == "offline_access" || asked == "openid"
}

// reportAuthentication says how the person signed in, and what an application that demands more would get.
func (t *trial) reportAuthentication(s *sheet, id broker.Identity, up connectors.Upstream) {
	s.title("How")
	level := cmp.Or(id.Authentication.ACR, "none")
	if len(t.login.ACRValues) > 0 {
		level += t.demandMet(id.Authentication.ACR)
	}
	s.row("level", level)
	s.row("acr", list(said(up)))
	s.row("amr", list(id.Authentication.AMR))
	when := "not said"
	if at := id.Authentication.Time; !at.IsZero() {
		when = fmt.Sprintf("%s, %s ago", at.UTC().Format(time.RFC3339), t.now().Sub(at).Round(time.Second))
	}
	s.row("auth_time", when)
	s.row("fresh sign-in", map[connectors.Reauthentication]string{
		connectors.ReauthProven:     "can be had: prompt=login and max_age are proven by auth_time",
		connectors.ReauthAsked:      "can be asked for, without proof: " + strictness(t.about),
		connectors.ReauthImpossible: "cannot be had here: " + strictness(t.about),
	}[t.about.Reauthentication])
}

// demandMet says whether a proven level is the demanded one, or stronger.
func (t *trial) demandMet(proven string) string {
	demanded := t.login.ACRValues[0]
	if at := slices.Index(t.about.Levels, proven); proven == demanded || at >= 0 && slices.Contains(t.about.Levels[at:], demanded) {
		return ": as demanded"
	}
	return ": " + demanded + " was demanded, so an application is told unmet_authentication_requirements"
}

func strictness(d connectors.Description) string {
	if d.BestEffort {
		return "applications that want one get what there is (reauthentication: best_effort)"
	}
	return "applications that want proof of one are told login_required"
}

// skewed is how far clocks may be apart before it is worth a word: tokens are accepted within a minute.
const skewed = 30 * time.Second

func (t *trial) reportClock(s *sheet, r connectors.Report) {
	s.title("Clock")
	if r.ServerTime.IsZero() || r.AskedAt.IsZero() {
		s.row("difference", "not known: the provider did not say what time it is")
		return
	}
	skew := r.ServerTime.Sub(r.AskedAt.Truncate(time.Second)) // a Date header has no fractions (RFC 9110 §5.6.7)
	switch {
	case skew > skewed:
		s.row("difference", fmt.Sprintf("this machine is %s behind the provider: set its clock (NTP), or tokens will be refused", skew))
	case skew < -skewed:
		s.row("difference", fmt.Sprintf("this machine is %s ahead of the provider: set its clock (NTP), or tokens will be refused", -skew))
	default:
		s.row("difference", fmt.Sprintf("%s, which does no harm", skew.Abs()))
	}
}

func (t *trial) reportCredentials(s *sheet) {
	s.title("Credentials")
	expirer, ok := t.connector.(connectors.Expirer)
	var ends []connectors.Expiration
	if ok {
		ends = expirer.Expirations()
	}
	if len(ends) == 0 {
		s.row("expire", "when is not known: note the day in client_secret_expires if the provider's console shows one")
	}
	for _, e := range ends {
		s.row(e.What, expiryLine(e.At, t.now()))
	}
}

// expiryLine says when something ends.
func expiryLine(at, now time.Time) string {
	left := at.Sub(now)
	day := at.UTC().Format(time.DateOnly)
	if left <= 0 {
		return "has expired on " + day + ": replace it"
	}
	return fmt.Sprintf("expires on %s, in %d days", day, int(left.Hours()/24))
}
