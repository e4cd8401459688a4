package fake

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

func TestOneOfManyRedeemsACode(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	code := oidcCode(t, f, browser(t))
	client := browser(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if post(t, client, f.at("/token"), codeRequest(code)).StatusCode == http.StatusOK {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d redeemed it", won.Load())
	}
}

func TestTheScriptMayChangeWhileTheFakeServes(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			b := browser(t)
			for range 10 {
				post(t, b, f.at("/token"), codeRequest(oidcCode(t, f, b)))
				get(t, b, f.at("/jwks"))
			}
		})
		wg.Go(func() {
			for range 10 {
				f.MisbehaveOnce(WrongNonce, KeysEmpty)
				f.Edit(IDToken, func(claims map[string]any) { claims["extra"] = 1 })
				f.RotateKeys()
				f.Update("ada", func(p *Person) { p.Email = "ada@new.example" })
				f.Disable("ben")
				f.Enable("ben")
				f.SetDelay(1)
				f.Behave()
				_, _, _ = f.Requests(), f.Count("/token"), f.People()
			}
		})
	}
	wg.Wait()
}

func TestOnceIsOnceForManyAtATime(t *testing.T) {
	t.Parallel()
	f := newOIDC(t, newClock(), nil)
	f.MisbehaveOnce(KeysEmpty)
	f.MisbehaveOnce(KeysEmpty)
	var empty atomic.Int32
	var wg sync.WaitGroup
	client := browser(t)
	for range 16 {
		wg.Go(func() {
			if len(get(t, client, f.at("/jwks")).json(t)["keys"].([]any)) == 0 {
				empty.Add(1)
			}
		})
	}
	wg.Wait()
	if empty.Load() != 2 {
		t.Errorf("%d times, told twice", empty.Load())
	}
}

func TestTheLedgerIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	o := options(c)
	f := NewOIDC(o)
	g := &grant{person: "ada", client: o.Clients[0]}
	for range maxEntries + 10 {
		f.newCode("", g, oidcCodeLife)
		f.newAccess("", g, nil, oidcAccessLife)
		f.newRefresh("", g, 0, 0)
		c.Advance(1)
	}
	newest := f.newCode("", g, oidcCodeLife)
	if n := max(len(f.ledger.codes), len(f.ledger.access), len(f.ledger.refresh)); n > maxEntries {
		t.Errorf("%d entries", n)
	}
	if f.ledger.codes[newest] == nil {
		t.Error("the newest code left first")
	}
}
