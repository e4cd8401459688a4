package device

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gatehouse/broker"
	"gatehouse/broker/flow"
	"gatehouse/broker/oauth"
	"gatehouse/web"
)

// A no is final, and told to nobody but the device.
func TestAPersonRefusesADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, b := w.begun("tv"), w.browser()
	page := b.enter(s.UserCode)
	done := b.decide(page, "deny", nil)
	if done.Code != 200 || !strings.Contains(done.Body.String(), "Nothing was allowed") || strings.Contains(done.Body.String(), "tv.example") {
		t.Errorf("%d %s", done.Code, done.Body)
	}
	if d := w.device("tv", s); d.Decision != broker.DeviceDenied || d.GrantID != "" {
		t.Errorf("%+v", d)
	}
	if !strings.Contains(w.log.String(), "device_denied") || !strings.Contains(w.log.String(), "account_id") {
		t.Errorf("the log\n%s", w.log.String())
	}
}

// DV-06: an answer that did not come from our page, or was given to a page about
// somebody else, counts for nobody.
func TestDV06OnlyTheirOwnAnswerCounts(t *testing.T) {
	t.Parallel()
	for _, decision := range []string{"allow", "deny"} {
		for _, row := range []struct {
			name   string
			change func(*world, *browser, url.Values)
			status int
			says   string
		}{
			{"from another site", func(_ *world, b *browser, _ url.Values) { b.origin = "https://evil.example" }, 403, "came from another site"},
			{"from a page without an origin", func(_ *world, b *browser, _ url.Values) { b.origin = "null" }, 403, "came from another site"},
			{"about another account", func(_ *world, _ *browser, f url.Values) { f.Set("account", "other") }, 403, "Somebody else is signed in now"},
			{"about no account", func(_ *world, _ *browser, f url.Values) { f.Del("account") }, 403, "Somebody else is signed in now"},
			{"rendered before somebody else signed in", func(_ *world, b *browser, _ url.Values) { b.signedIn("eve") }, 403, "Somebody else is signed in now"},
			{"of another flow", func(_ *world, _ *browser, f url.Values) { f.Set("flow", "AAAAAAAAAAAAAAAAAAAA") }, 400, "This code can no longer be used"},
			{"in another browser", func(_ *world, b *browser, _ url.Values) { clear(b.cookies) }, 400, "This code can no longer be used"},
			{"neither yes nor no", func(_ *world, _ *browser, f url.Values) { f.Set("decision", "maybe") }, 400, "neither yes nor no"},
			{"yes and no", func(_ *world, _ *browser, f url.Values) { f.Add("decision", "allow") }, 400, "cannot be read"},
			{"too late", func(w *world, _ *browser, _ url.Values) { w.now = w.now.Add(10 * time.Minute) }, 400, "This code can no longer be used"},
			{"when the client is gone", func(w *world, _ *browser, _ url.Values) { delete(w.clients, "tv") }, 400, "over"},
		} {
			w := newWorld(t)
			s, b := w.begun("tv"), w.browser()
			page := b.enter(s.UserCode)
			before := w.store.Commits()
			if row.name == "rendered before somebody else signed in" {
				before += 1
			}
			answered := b.decide(page, decision, func(f url.Values) { row.change(w, b, f) })
			if answered.Code != row.status || !strings.Contains(answered.Body.String(), row.says) {
				t.Errorf("%s, %s: %d %s", decision, row.name, answered.Code, answered.Body)
			}
			if d := w.device("tv", s); d.Decision != broker.DevicePending {
				t.Errorf("%s, %s: %+v", decision, row.name, d)
			}
			if n := w.store.Commits() - before; n != 0 {
				t.Errorf("%s, %s: %d commits", decision, row.name, n)
			}
		}
	}
}

// DV-06: of any number of answers the first counts, whatever the others say.
func TestDV06ADecisionIsFinal(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		first, then string
		want        broker.DeviceDecision
	}{{"allow", "deny", broker.DeviceApproved}, {"deny", "allow", broker.DeviceDenied}, {"allow", "allow", broker.DeviceApproved}} {
		w := newWorld(t)
		s, b, other := w.begun("tv"), w.browser(), w.browser()
		page, theirs := b.enter(s.UserCode), other.enter(s.UserCode)
		cookies := map[string]*browser{"the same browser": b, "another": other}
		kept := w.browser()
		for name, c := range b.cookies {
			kept.cookies[name] = c
		}
		b.decide(page, row.first, nil)
		grant := w.device("tv", s).GrantID
		for name, again := range cookies {
			form := page
			if again == other {
				form = theirs
			}
			if answered := again.decide(form, row.then, nil); answered.Code != 400 {
				t.Errorf("%s then %s in %s: %d %s", row.first, row.then, name, answered.Code, answered.Body)
			}
		}
		// The flow's cookie, put back.
		if answered := kept.decide(page, row.then, nil); answered.Code != 400 || !strings.Contains(answered.Body.String(), "This code can no longer be used") {
			t.Errorf("%s then %s with the cookie of before: %d %s", row.first, row.then, answered.Code, answered.Body)
		}
		if d := w.device("tv", s); d.Decision != row.want || d.GrantID != grant {
			t.Errorf("%s then %s: %+v", row.first, row.then, d)
		}
	}
}

// DV-06: of many answers at once one counts.
func TestDV06ConcurrentDecisionsHaveOneWinner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.begun("tv")
	type try struct {
		b    *browser
		form url.Values
	}
	var tries []try
	for i := range 16 {
		b := w.browser()
		b.signedIn("ada")
		page := b.enter(s.UserCode)
		decision := "allow"
		if i%2 == 1 {
			decision = "deny"
		}
		form := url.Values{"decision": {decision}, "flow": {flowOf(t, page)}}
		for _, m := range hidden.FindAllStringSubmatch(page.Body.String(), -1) {
			form.Set(m[1], m[2])
		}
		b.address = b.address.Next()
		tries = append(tries, try{b, form})
		w.pages.PerAddress, w.pages.PerAccount = nil, nil
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	won := map[string]int{}
	for _, one := range tries {
		all.Go(func() {
			if answered := one.b.post("/device/confirm", one.form); answered.Code == 200 {
				mu.Lock()
				defer mu.Unlock()
				won[one.form.Get("decision")]++
			}
		})
	}
	all.Wait()
	want := "allow"
	if w.device("tv", s).Decision == broker.DeviceDenied {
		want = "deny"
	}
	if len(won) != 1 || won[want] != 1 {
		t.Errorf("%v, and it is %s", won, want)
	}
}

// Who may not use the client is told so, with a reference number; the device learns
// nothing, and another account may decide.
func TestWhoMayNotUseTheClientDecidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, b := w.begun("staff"), w.browser()
	b.signedIn("ada")
	page := b.enter(s.UserCode)
	body := page.Body.String()
	if page.Code != 403 || !strings.Contains(body, "You cannot use this application") || !strings.Contains(body, `class="reference">ref<`) || !strings.Contains(body, "Use another account") {
		t.Errorf("%d %s", page.Code, body)
	}
	if d := w.device("staff", s); d.Decision != broker.DevicePending {
		t.Errorf("%+v", d)
	}
	// Nobody is signed in: the refusal comes with the sign-in.
	stranger := w.browser()
	if page := stranger.enter(s.UserCode); page.Code != 403 || !strings.Contains(page.Body.String(), "You cannot use this application") {
		t.Errorf("%d %s", page.Code, page.Body)
	}
	// Who lost the right between page and answer.
	w = newWorld(t)
	s, b = w.begun("tv"), w.browser()
	page = b.enter(s.UserCode)
	w.clients["tv"].Allow.Groups = []string{"staff"}
	if answered := b.decide(page, "allow", nil); answered.Code != 403 || w.device("tv", s).Decision != broker.DevicePending {
		t.Errorf("%d %s", answered.Code, answered.Body)
	}
	// A client that lost the grant meanwhile could fetch nothing: nobody is told that it can.
	w = newWorld(t)
	s, b = w.begun("tv"), w.browser()
	page = b.enter(s.UserCode)
	w.clients["tv"].GrantTypes = []oauth.GrantType{oauth.GrantTypeRefreshToken}
	for _, answered := range []*httptest.ResponseRecorder{b.get("/device/confirm?flow=" + flowOf(t, page)), b.decide(page, "allow", nil)} {
		if answered.Code != 400 || !strings.Contains(answered.Body.String(), "This code can no longer be used") || w.device("tv", s).Decision != broker.DevicePending {
			t.Errorf("%d %s", answered.Code, answered.Body)
		}
	}
}

// Who clicks twice is not told that nothing was allowed.
func TestASecondClickDoesNotUnsayTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, b := w.begun("tv"), w.browser()
	page := b.enter(s.UserCode)
	kept := w.browser()
	for name, cookie := range b.cookies {
		kept.cookies[name] = cookie
	}
	b.decide(page, "allow", nil)
	again := kept.decide(page, "allow", nil)
	if again.Code != 400 || strings.Contains(again.Body.String(), "Nothing was allowed") || !strings.Contains(again.Body.String(), "that answer counts") {
		t.Errorf("%d %s", again.Code, again.Body)
	}
	if d := w.device("tv", s); d.Decision != broker.DeviceApproved {
		t.Errorf("%+v", d)
	}
}

// The page asks about the device that waits now, and a flow of a client is no device's.
func TestTheConfirmationIsOfTheDeviceThatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, b := w.begun("tv"), w.browser()
	id := flowOf(t, b.enter(s.UserCode))
	other := w.browser()
	other.decide(other.enter(s.UserCode), "deny", nil)
	if page := b.get("/device/confirm?flow=" + id); page.Code != 400 || !strings.Contains(page.Body.String(), "This code can no longer be used") {
		t.Errorf("of one that was decided about: %d %s", page.Code, page.Body)
	}
	// Of a client that has devices too: it is the kind of the flow that counts.
	f := flow.New(w.now, &broker.AuthorizationRequest{ClientID: "tv", Scopes: oauth.Scopes{"openid"}, RedirectURI: "https://tv.example/callback"})
	ada := w.browser()
	ada.signedIn("ada")
	ada.park(t, f)
	if page := ada.get("/device/confirm?flow=" + f.ID); page.Code != 400 || page.Header().Get("Location") != "" {
		t.Errorf("a client's flow: %d %v", page.Code, page.Header())
	}
	if page := ada.post("/device/confirm", url.Values{"flow": {f.ID}, "decision": {"allow"}}); page.Code != 400 || page.Header().Get("Location") != "" {
		t.Errorf("a client's flow, answered: %d %v", page.Code, page.Header())
	}
	// The same code, shown by another device of the client.
	again := w.begun("tv")
	code, _ := ParseUserCode(again.UserCode)
	stale := flow.NewForDevice(w.now, code, w.device("tv", again).Expires.Add(-time.Minute), &broker.AuthorizationRequest{ClientID: "tv", Scopes: oauth.Scopes{"openid"}})
	ada.park(t, stale)
	if page := ada.get("/device/confirm?flow=" + stale.ID); page.Code != 400 {
		t.Errorf("a flow of the device before: %d %s", page.Code, page.Body)
	}
}

// DV-07: a name is as good as what stands behind it.
func TestDV07WhoAskedIsAsFarBelievedAsTheyProvedIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		client broker.Client
		want   web.ClientStanding
		host   bool
	}{
		{"a public client", broker.Client{AuthMethod: oauth.AuthMethodNone}, web.ClientUnverified, true},
		{"one with a secret", broker.Client{AuthMethod: oauth.AuthMethodClientSecretBasic}, web.ClientVerified, true},
		{"one that registered itself", broker.Client{AuthMethod: oauth.AuthMethodPrivateKeyJWT, Registered: true}, web.ClientSelfRegistered, false},
		{"a public one that registered itself", broker.Client{AuthMethod: oauth.AuthMethodNone, Registered: true}, web.ClientSelfRegistered, false},
	} {
		if got := standing(&row.client); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
		w := newWorld(t)
		s := w.begun("tv")
		w.clients["tv"].AuthMethod, w.clients["tv"].Registered = row.client.AuthMethod, row.client.Registered
		body := w.browser().enter(s.UserCode).Body.String()
		if got := strings.Contains(body, `<bdi class="host">tv.example</bdi>`); got != row.host {
			t.Errorf("%s: its host is shown: %v", row.name, got)
		}
		if got := strings.Contains(body, "has registered itself here and chose its own name"); got != row.client.Registered {
			t.Errorf("%s: it is said to have registered itself: %v", row.name, got)
		}
		if got := strings.Contains(body, "Not verified:"); got != (row.want != web.ClientVerified) {
			t.Errorf("%s: called not verified: %v", row.name, got)
		}
	}
}

// DV-08: what devices leave behind ends with them: of many as little as of a few, but
// for the audit records.
func TestDV08DevicesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	few, many := leftovers(t, 3), leftovers(t, 300)
	for bucket, n := range many {
		if n != few[bucket] && bucket != "events" {
			t.Errorf("%s: %d records of 300 devices, %d of 3", bucket, n, few[bucket])
		}
	}
	if few["events"] == 0 {
		t.Errorf("nothing is kept: %v", few)
	}
}

// leftovers runs devices to each of their ends and counts the records that are left
// in each bucket when all of it has expired.
func leftovers(t *testing.T, devices int) map[string]int {
	t.Helper()
	w := newWorld(t)
	w.pages.PerAddress, w.pages.PerAccount = nil, nil
	b := w.browser()
	b.signedIn("ada")
	for i := range devices {
		s := w.begun("ours")
		if i%3 == 0 {
			continue
		}
		b.decide(b.enter(s.UserCode), []string{"", "allow", "deny"}[i%3], nil)
		b.seen = nil
	}
	if len(b.cookies) != 1 {
		t.Errorf("%d cookies are left", len(b.cookies))
	}
	w.now = w.now.Add(24 * time.Hour)
	for {
		n, err := w.store.Sweep(t.Context(), w.now, 100)
		if err != nil {
			t.Fatal(err)
		}
		if n < 100 {
			break
		}
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := bbolt.Open(w.path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	left := map[string]int{}
	err = file.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { left[string(name)] = b.Stats().KeyN; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{-time.Hour: "less than a minute ago", 59 * time.Second: "less than a minute ago", time.Minute: "a minute ago",
		119 * time.Second: "a minute ago", 9 * time.Minute: "9 minutes ago"} {
		if got := ago(d); got != want {
			t.Errorf("%v: %q", d, got)
		}
	}
}
