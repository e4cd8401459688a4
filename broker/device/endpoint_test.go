package device

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/internal/httpx"
)

// RFC 8628 §3.3: from the code on the screen to a grant that the device may fetch.
func TestAPersonConnectsADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, b := w.begun("tv"), w.browser()
	w.now = w.now.Add(2 * time.Minute)
	if page := b.get("/device"); page.Code != 200 || !strings.Contains(page.Body.String(), `name="user_code" value=""`) {
		t.Errorf("%d %s", page.Code, page.Body)
	}
	page := b.enter(" " + strings.ToLower(s.UserCode))
	body := page.Body.String()
	for _, want := range []string{"Television", "tv.example", "Not verified:", s.UserCode, "2 minutes ago", "198.51.100.7", "not the network you are using now", "<bdi>Television/1.0</bdi>, as it says",
		"Ada", "ada@corp.example", "signed in with <bdi>Corp</bdi>", "Recognise you when you come back", "Keep this access while you are away", "Only continue if you started this yourself"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q: %s", want, body)
		}
	}
	if d := w.device("tv", s); d.Decision != broker.DevicePending {
		t.Fatalf("decided by looking: %+v", d)
	}
	done := b.decide(page, "allow", nil)
	if done.Code != 200 || !strings.Contains(done.Body.String(), "You can go back to your device") {
		t.Fatalf("%d %s", done.Code, done.Body)
	}
	d := w.device("tv", s)
	if d.Decision != broker.DeviceApproved || d.GrantID == "" {
		t.Fatalf("%+v", d)
	}
	st, err := w.store.Grant(t.Context(), d.GrantID, w.now)
	if err != nil || st.Grant.ClientID != "tv" || !st.Grant.Offline || st.Grant.Scopes.String() != "openid offline_access" || st.Identity.Key.Subject != "ada" {
		t.Errorf("%+v, %v", st.Grant, err)
	}
	if len(b.cookies) != 1 { // the session
		t.Errorf("cookies left: %v", b.cookies)
	}
	// DV-05: what the device holds was nowhere to be seen.
	for _, seen := range append(b.seen, w.log.String()) {
		if strings.Contains(seen, s.DeviceCode) || strings.Contains(seen, "gd_") {
			t.Errorf("DV-05: the device code was seen in %.300s", seen)
		}
	}
	if strings.Contains(w.log.String(), strings.ReplaceAll(s.UserCode, "-", "")) || !strings.Contains(w.log.String(), "device_approved") {
		t.Errorf("the log\n%s", w.log.String())
	}
}

// DV-02: with a session, a first-party client and the code in the link, somebody who
// was sent there still has to say yes, on a page that says what it is about.
func TestDV02NobodyIsAnsweredFor(t *testing.T) {
	t.Parallel()
	for _, client := range []string{"tv", "ours"} {
		w := newWorld(t)
		s, b := w.begun(client), w.browser()
		b.signedIn("ada")
		link := b.get(s.VerificationURIComplete)
		if link.Code != 200 || !strings.Contains(link.Body.String(), `name="user_code" value="`+s.UserCode+`"`) || !strings.Contains(link.Body.String(), "Did someone send you this code or link?") {
			t.Errorf("%s: the link: %d %s", client, link.Code, link.Body)
		}
		if len(b.cookies) != 1 || w.device(client, s).Decision != broker.DevicePending {
			t.Errorf("%s: opening the link did something", client)
		}
		page := b.enter(s.UserCode)
		if body := page.Body.String(); page.Code != 200 || !strings.Contains(body, "The device must show this code") || !strings.Contains(body, "198.51.100.7") {
			t.Errorf("%s: %d %s", client, page.Code, body)
		}
		if d := w.device(client, s); d.Decision != broker.DevicePending {
			t.Errorf("%s: allowed by entering the code", client)
		}
		// The consent page is about clients, and answers for no device.
		for name, consent := range map[string]*httptest.ResponseRecorder{
			"the consent page":                       b.get("/consent?flow=" + flowOf(t, page)),
			"an answer that was meant for that page": b.post("/consent", url.Values{"flow": {flowOf(t, page)}, "decision": {"allow"}, "account": {accountOf(page)}}),
			"a no that was meant for that page":      b.post("/consent", url.Values{"flow": {flowOf(t, page)}, "decision": {"deny"}, "account": {accountOf(page)}}),
		} {
			if d := w.device(client, s); d.Decision != broker.DevicePending || !strings.Contains(consent.Body.String(), "The device must show this code") {
				t.Errorf("%s: %s: %+v %s", client, name, d, consent.Body)
			}
		}
		b.decide(page, "allow", nil)
		// Having agreed once is no answer to the next device.
		next := w.begun(client)
		page = b.enter(next.UserCode)
		if d := w.device(client, next); d.Decision != broker.DevicePending || !strings.Contains(page.Body.String(), "The device must show this code") {
			t.Errorf("%s: the second device: %+v", client, d)
		}
	}
}

// accountOf is whom the page was rendered for.
func accountOf(page *httptest.ResponseRecorder) string {
	for _, m := range hidden.FindAllStringSubmatch(page.Body.String(), -1) {
		if m[1] == "account" {
			return m[2]
		}
	}
	return ""
}

func flowOf(t *testing.T, page *httptest.ResponseRecorder) string {
	t.Helper()
	for _, m := range hidden.FindAllStringSubmatch(page.Body.String(), -1) {
		if m[1] == "flow" {
			return m[2]
		}
	}
	t.Fatalf("no form: %d %s", page.Code, page.Body)
	return ""
}

// A code that leads nowhere is asked for again, and nobody learns why it does not.
func TestACodeThatLeadsNowhere(t *testing.T) {
	t.Parallel()
	const again, spelling = "There is no such code. Look at your device again", "A code has eight letters"
	for _, row := range []struct {
		name   string
		change func(*world, *browser, started) string
		says   string
	}{
		{"nobody's", func(*world, *browser, started) string { return "BBBB-BBBB" }, again},
		{"one that was allowed", func(_ *world, b *browser, s started) string {
			b.decide(b.enter(s.UserCode), "allow", nil)
			return s.UserCode
		}, again},
		{"one that was denied", func(_ *world, b *browser, s started) string {
			b.decide(b.enter(s.UserCode), "deny", nil)
			return s.UserCode
		}, again},
		{"one that has expired", func(w *world, _ *browser, s started) string { w.now = w.now.Add(10 * time.Minute); return s.UserCode }, again},
		{"one of a client that is gone", func(w *world, _ *browser, s started) string { delete(w.clients, "tv"); return s.UserCode }, again},
		{"one of a client that may not use the grant any more", func(w *world, _ *browser, s started) string { w.clients["tv"].GrantTypes = nil; return s.UserCode }, again},
		{"the device code", func(_ *world, _ *browser, s started) string { return s.DeviceCode }, spelling},
		{"half of it", func(_ *world, _ *browser, s started) string { return s.UserCode[:4] }, spelling},
		{"nothing", func(*world, *browser, started) string { return "" }, spelling},
		{"markup", func(*world, *browser, started) string { return `"><script>` }, spelling},
	} {
		w := newWorld(t)
		s, b := w.begun("tv"), w.browser()
		b.signedIn("ada")
		typed := row.change(w, b, s)
		before := w.store.Commits()
		page := b.enter(typed)
		body := page.Body.String()
		if page.Code != 400 || !strings.Contains(body, row.says) || !strings.Contains(body, `aria-invalid="true"`) || strings.Contains(body, "<script") {
			t.Errorf("%s: %d %s", row.name, page.Code, body)
		}
		if row.says == again && (!strings.Contains(body, "within 10 minutes") || !strings.Contains(body, `name="user_code" value="`+typed+`"`)) {
			t.Errorf("%s: the page does not help: %s", row.name, body)
		}
		if n := w.store.Commits() - before; n != 0 {
			t.Errorf("%s: a miss is %d commits", row.name, n)
		}
		if typed != "" && strings.Contains(w.log.String(), typed) {
			t.Errorf("%s: the log has what was typed", row.name)
		}
	}
}

// DV-03, RFC 8628 §5.1: thousands of guesses, from one address and from many, by strangers
// and by somebody who is signed in: nearly all are refused unlooked at, and who is
// signed in is not shut out by the others.
func TestDV03GuessingIsHopeless(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		from          func(i int) string
		signedIn      bool
		guesses, most int
	}{
		{"one address", func(int) string { return "192.0.2.9" }, false, 500, 10},
		{"one IPv6 subscriber", func(i int) string {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i), 14: byte(i >> 8)}).String()
		}, false, 500, 10},
		{"many addresses", func(i int) string { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String() }, false, 3000, 50},
		{"many addresses, signed in", func(i int) string { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String() }, true, 1000, 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s, b := w.begun("tv"), w.browser()
			if row.signedIn {
				b.signedIn("eve")
			}
			looked := 0
			for i := range row.guesses {
				b.address = netip.MustParseAddr(row.from(i))
				b.seen = nil
				switch page := b.enter(newUserCode()); page.Code {
				case http.StatusBadRequest:
					looked++
				case http.StatusTooManyRequests:
					if page.Header().Get("Retry-After") == "" {
						t.Fatal("nobody is told when to try again")
					}
				default:
					t.Fatalf("guess %d: %d %s", i, page.Code, page.Body)
				}
			}
			if looked > row.most || looked < row.most/2 {
				t.Errorf("%d guesses were looked at, want %d at most", looked, row.most)
			}
			if row.signedIn || row.name != "many addresses" {
				return
			}
			ada := w.browser()
			ada.signedIn("ada")
			if page := ada.enter(s.UserCode); page.Code != 200 {
				t.Errorf("somebody who is signed in is shut out: %d", page.Code)
			}
			// A session that nobody has does not count as one.
			stranger := w.browser()
			for name, c := range ada.cookies {
				forged := *c
				forged.Value = strings.Repeat("A", len(c.Value))
				stranger.cookies[name] = &forged
			}
			if page := stranger.enter(s.UserCode); page.Code != http.StatusTooManyRequests {
				t.Errorf("a made-up session: %d", page.Code)
			}
		})
	}
}

// What is no code is not counted: typing badly shuts nobody out.
func TestMisspellingIsNotGuessing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, b := w.begun("tv"), w.browser()
	for range 100 {
		b.enter("oops")
	}
	if page := b.enter(s.UserCode); page.Code != 200 {
		t.Errorf("%d %s", page.Code, page.Body)
	}
}

// Previews and prefetches of a link do nothing.
func TestOnlyPeopleGoThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.begun("tv")
	r := httptest.NewRequestWithContext(httpx.With(t.Context(), httpx.Request{}), http.MethodHead, "/device?user_code="+s.UserCode, nil)
	answered := httptest.NewRecorder()
	w.mux.ServeHTTP(answered, r)
	if answered.Code != 405 {
		t.Errorf("HEAD: %d", answered.Code)
	}
	// A code in the URL of the form is not one that was posted.
	if page := w.browser().post("/device?user_code="+s.UserCode, url.Values{}); page.Code != 400 {
		t.Errorf("a code in the URL: %d", page.Code)
	}
}

// What the client demands of every sign-in it demands of this one.
func TestADeviceDemandsWhatItsClientDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clients["tv"].DefaultMaxAge = time.Minute
	s, b := w.begun("tv"), w.browser()
	b.signedIn("ada")
	w.now = w.now.Add(2 * time.Minute)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/device", strings.NewReader(url.Values{"user_code": {s.UserCode}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", issuer)
	if answered := b.send(r); !strings.HasPrefix(answered.Header().Get("Location"), "https://idp.example/") {
		t.Errorf("not asked to sign in again: %d %v", answered.Code, answered.Header())
	}
	if w.clients["tv"].AllowsGrantType(oauth.GrantTypeAuthorizationCode) {
		t.Error("the world is not what it seems")
	}
}
