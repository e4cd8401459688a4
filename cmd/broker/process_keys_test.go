//go:build unix

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"gatehouse/broker/keys"
)

// application verifies ID tokens as applications do: with go-oidc, from the discovery document on.
type application struct{ verifier *oidc.IDTokenVerifier }

func newApplication(t *testing.T, w *world) application {
	t.Helper()
	ctx := oidc.ClientContext(context.WithoutCancel(t.Context()), &http.Client{Transport: w.transport})
	provider, err := oidc.NewProvider(ctx, w.issuer)
	ok(t, err)
	return application{provider.VerifierContext(ctx, &oidc.Config{ClientID: "wiki", SupportedSigningAlgs: []string{"RS256", "ES256"}})}
}

func (a application) verify(ctx context.Context, tokens answer) error {
	_, err := a.verifier.Verify(ctx, tokens.text("id_token"))
	return err
}

// listed runs broker keys with its JSON output.
func (w *world) listed(args ...string) []keys.Info {
	w.t.Helper()
	got := do(w.t, append(append([]string{"keys"}, args...), "-o", "json", "-c", w.path)...)
	var list []keys.Info
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || got.code != 0 || got.stderr != "" {
		w.t.Fatalf("keys %v: %+v, %v", args, got, err)
	}
	return list
}

// published are the IDs in the JWKS, in order.
func (w *world) published() []string {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.issuer+"/jwks", nil)
	ok(w.t, err)
	a, err := w.program(request)
	ok(w.t, err)
	var ids []string
	list, _ := a.body["keys"].([]any)
	for _, one := range list {
		member, _ := one.(map[string]any)
		id, _ := member["kid"].(string)
		if _, private := member["d"]; private || id == "" {
			w.t.Errorf("the JWKS has %v", member)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// ids are the IDs of keys in a stage, or of all, in order.
func ids(list []keys.Info, stages ...keys.Stage) []string {
	var out []string
	for _, k := range list {
		if len(stages) == 0 || slices.Contains(stages, k.Stage) {
			out = append(out, k.ID)
		}
	}
	slices.Sort(out)
	return out
}

// KM-01: a successor is published before it signs; in an emergency the broker itself stops accepting at once.
func TestKeysOfAServingProcess(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := newWorld(t, "http://localhost:7", settings{})
	p := w.serve()
	app, ada := newApplication(t, w), w.browser()
	tokens := ada.tokens(ctx)
	ok(t, app.verify(ctx, tokens))

	first := w.listed("list")
	if len(first) != 1 || first[0].Stage != keys.Signing || !slices.Equal(ids(first), w.published()) {
		t.Fatalf("at the start: %+v, published %v", first, w.published())
	}
	rotated := w.listed("rotate")
	if len(rotated) != 2 || !slices.Equal(ids(rotated), w.published()) || !slices.Equal(ids(rotated, keys.Signing), ids(first)) || len(ids(rotated, keys.Next)) != 1 {
		t.Errorf("after a rotation: %+v, published %v", rotated, w.published())
	}
	ok(t, app.verify(ctx, tokens))
	tokens = ada.tokens(ctx)
	ok(t, app.verify(ctx, tokens))

	last := w.listed("rotate", "--emergency")
	for _, k := range last {
		if k.Stage != keys.Signing || slices.Contains(ids(rotated), k.ID) {
			t.Errorf("an emergency leaves %+v", k)
		}
	}
	if !slices.Equal(ids(last), w.published()) {
		t.Errorf("published %v, and the keys are %+v", w.published(), last)
	}
	expect(t, "an access token of before the emergency", 401)(w.userInfo(ctx, tokens.text("access_token")))
	// Whoever looks at the keys anew trusts what is new and nothing else; whoever has seen the old ones fetches again.
	if err := newApplication(t, w).verify(ctx, tokens); err == nil {
		t.Error("an ID token of before the emergency is still verified by the published keys")
	}
	refreshed := expect(t, "a refresh token of before the emergency", 200)(w.refresh(ctx, tokens.text("refresh_token")))
	for _, fresh := range []answer{refreshed, w.browser().tokens(ctx), ada.tokens(ctx)} {
		ok(t, app.verify(ctx, fresh))
		expect(t, "a fresh access token", 200)(w.userInfo(ctx, fresh.text("access_token")))
	}
	if log := p.stderr.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the log:\n%s", log)
	}
	p.stop()

	// The database is nobody's now, and the commands open it themselves.
	if got := w.listed("list"); !slices.Equal(ids(got), ids(last)) {
		t.Errorf("when stopped: %+v, want %+v", got, last)
	}
	again := w.listed("rotate")
	if !slices.Equal(ids(again, keys.Signing), ids(last)) || len(again) != 2 {
		t.Errorf("rotating when stopped: %+v", again)
	}
	if names := w.names(); names != "broker.db broker.key broker.yaml" {
		t.Errorf("the commands leave %s", names)
	}
	w.serve()
	if !slices.Equal(ids(again), w.published()) {
		t.Errorf("published %v after the restart, want %v", w.published(), ids(again))
	}
	ok(t, app.verify(ctx, ada.tokens(ctx)))
}

func TestKeysAfterAKillAreAskedOfTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	p := w.serve()
	before := w.listed("list")
	p.kill()
	// The socket is still there; nobody listens on it.
	if _, err := os.Lstat(w.file("broker.sock")); err != nil {
		t.Fatal(err)
	}
	if got := w.listed("list"); !slices.Equal(ids(got), ids(before)) {
		t.Errorf("keys %+v, want %+v", got, before)
	}
	w.serve()
	if got := w.listed("list"); !slices.Equal(ids(got), ids(before)) {
		t.Errorf("over the new socket: %+v, want %+v", got, before)
	}
}

func TestKeysNeedThePermissionOfTheSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	ok(t, os.Chmod(w.dir, 0o755))
	ok(t, os.Chmod(w.path, 0o644))
	p := w.serve()
	same := w.listed("list")
	other := launch(t, asSomebodyElse(t), "keys", "rotate", "--emergency", "-c", w.path)
	oneSentence(t, result{other.wait(), other.stdout.String(), other.stderr.String()}, "belongs to another user", "run the command as that user")
	if got := w.listed("list"); !slices.Equal(ids(got), ids(same)) {
		t.Errorf("a stranger has made the keys %+v of %+v", got, same)
	}
	p.stop()
}
