package authorize

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"gatehouse/broker"
	"gatehouse/broker/clientkeys"
	"gatehouse/broker/jose"
	"gatehouse/broker/oauth"
)

const documentURI = "https://wiki.example/request"

// objects is a client that signs, and who reads its requests.
type objects struct {
	*RequestObjects
	client *broker.Client
	key    *ecdsa.PrivateKey
}

func newObjects(t testing.TB) *objects {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{{KeyID: "k1", Key: key.Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	client := wiki()
	client.JWKS, client.RequestURIs = set, []string{documentURI, documentURI + "/2"}
	now := func() time.Time { return time.Unix(1_700_000_000, 0) }
	return &objects{key: key, client: client, RequestObjects: &RequestObjects{Keys: &clientkeys.Cache{Now: now}, Issuer: "https://b.test", Now: now,
		Fetch: func(context.Context, string, ...string) ([]byte, error) { return nil, errors.New("not there") }}}
}

func (o *objects) sign(t testing.TB, payload string) string {
	t.Helper()
	signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: gojose.ES256, Key: gojose.JSONWebKey{KeyID: "k1", Key: o.key}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// open opens the object of a request and answers with the error's code, if any.
func (o *objects) open(t testing.TB, pairs ...string) ([]oauth.Field, oauth.Code) {
	t.Helper()
	v := url.Values{"client_id": {"wiki"}, "response_type": {"code"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	params, err := oauth.ParseQuery(v.Encode())
	if err != nil {
		t.Fatal(err)
	}
	fields, err := o.Open(t.Context(), &request{params: params, client: o.client})
	if err == nil {
		return fields, ""
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return fields, e.Code
	}
	t.Fatalf("an error that is none for the client: %v", err)
	return nil, ""
}

// RFC 9101 §4, §10.8, Core §6.1.
func TestTheClaimsOfARequestObject(t *testing.T) {
	t.Parallel()
	o := newObjects(t)
	for _, row := range []struct {
		name, payload string
		code          oauth.Code
		want          string // the value of the parameter x
	}{
		{"text is as it is", `{"x":"a b"}`, "", "a b"},
		{"a number is as JSON writes it", `{"x":-1.50}`, "", "-1.50"},
		{"a boolean too", `{"x":true}`, "", "true"},
		{"an object is JSON", `{"x":{"id_token": {}}}`, "", `{"id_token": {}}`},
		{"null is no parameter", `{"x":null}`, oauth.InvalidRequestObject, ""},
		{"a list is no parameter", `{"x":["a"]}`, oauth.InvalidRequestObject, ""},
		{"claims of the JWT are no parameters", `{"x":"1","iss":"wiki","aud":"https://b.test","exp":1700000060,"iat":1700000000,"nbf":1700000000,"jti":"j"}`, "", "1"},
		{"a subject is of no account", `{"x":"1","sub":"somebody"}`, "", "1"},
		{"a client assertion is no request", `{"x":"1","iss":"wiki","sub":"wiki","aud":"https://b.test","jti":"j","exp":1700000060}`, oauth.InvalidRequestObject, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fields, code := o.open(t, "request", o.sign(t, row.payload))
			if code != row.code {
				t.Fatalf("error %q, want %q", code, row.code)
			}
			at := slices.IndexFunc(fields, func(f oauth.Field) bool { return f.Name == "x" })
			if row.code == "" && (at < 0 || fields[at].Value != row.want) || row.code != "" && fields != nil {
				t.Errorf("%+v", fields)
			}
			for _, f := range fields {
				if slices.Contains(notParameters(), f.Name) {
					t.Errorf("%s is a parameter", f.Name)
				}
			}
		})
	}
}

// What a client has not registered for it cannot use (Core §6.1, §6.2; RFC 8725 §3.1).
func TestRequestObjectsNeedARegistration(t *testing.T) {
	t.Parallel()
	o := newObjects(t)
	good := o.sign(t, `{"x":"1"}`)
	for alg, want := range map[string]oauth.Code{"": "", string(jose.ES256): "", string(jose.RS256): oauth.InvalidRequestObject, "none": oauth.InvalidRequestObject} {
		o.client.RequestObjectAlg = alg
		if _, code := o.open(t, "request", good); code != want {
			t.Errorf("with request_object_signing_alg %q: %q", alg, code)
		}
	}
	o.client.RequestObjectAlg, o.client.RequestURIs = "", nil
	if _, code := o.open(t, "request_uri", documentURI); code != oauth.RequestURINotSupported {
		t.Errorf("without request_uris: %q", code)
	}
	o.client.JWKS = nil
	if _, code := o.open(t, "request", good); code != oauth.RequestNotSupported {
		t.Errorf("without keys: %q", code)
	}
}

// I11: however many strangers ask, one address is fetched a few times at once and the
// others are not kept waiting.
func TestFetchesOfARequestURIAreBounded(t *testing.T) {
	t.Parallel()
	o := newObjects(t)
	started, finish := make(chan struct{}), make(chan struct{})
	o.Fetch = func(_ context.Context, address string, _ ...string) ([]byte, error) {
		if address == documentURI {
			started <- struct{}{}
			<-finish
		}
		return []byte(o.sign(t, `{"x":"1"}`)), nil
	}
	var wg sync.WaitGroup
	for range maxFetches {
		wg.Go(func() {
			if _, code := o.open(t, "request_uri", documentURI); code != "" {
				t.Errorf("one of the first: %q", code)
			}
		})
		<-started
	}
	if _, code := o.open(t, "request_uri", documentURI); code != oauth.TemporarilyUnavailable {
		t.Errorf("one too many: %q", code)
	}
	if _, code := o.open(t, "request_uri", documentURI+"/2"); code != "" {
		t.Errorf("another address: %q", code)
	}
	close(finish)
	wg.Wait()
	go func() { <-started }()
	if _, code := o.open(t, "request_uri", documentURI); code != "" || len(o.underway) != 0 {
		t.Errorf("afterwards: %q, %d under way", code, len(o.underway))
	}
}

// FuzzRequestObjectPayload: whatever a client signs, its parameters are not the JWT's
// own claims, hold no other object, and name no other client.
func FuzzRequestObjectPayload(f *testing.F) {
	o := newObjects(f)
	for _, seed := range []string{`{}`, `{"client_id":"wiki","response_type":"code","scope":"openid"}`, `{"client_id":"shop"}`, `{"request":"x"}`, `{"x":[1]}`, `{"x":null}`,
		`{"max_age":1e3,"claims":{"userinfo":{}},"b":false}`, `{"sub":"wiki"}`, `{"iss":1}`, `{"exp":1}`, `[]`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"client_id":{}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		fields, code := o.open(t, "request", o.sign(t, payload))
		if code == "" && !json.Valid([]byte(payload)) {
			t.Fatalf("%q was read", payload)
		}
		if code != "" && (code != oauth.InvalidRequestObject || fields != nil) {
			t.Fatalf("%q, %v", code, fields)
		}
		for _, field := range fields {
			if slices.Contains(append(notParameters(), "request", "request_uri"), field.Name) || field.Name == "client_id" && field.Value != "wiki" {
				t.Fatalf("%+v of %q", field, payload)
			}
		}
	})
}

// FuzzRequestObject: what the client has not signed is never read, whatever it looks like.
func FuzzRequestObject(f *testing.F) {
	o := newObjects(f)
	other := newObjects(f)
	good := o.sign(f, `{"x":"1"}`)
	for _, seed := range []string{"", "x", "..", good[:len(good)-2], good + ".", "eyJhbGciOiJub25lIn0.e30.", other.sign(f, `{"x":"1"}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := oauth.ParseQuery(url.Values{"request": {raw}}.Encode()); err != nil {
			return // no parameter at all
		}
		if fields, code := o.open(t, "request", raw); code == "" || fields != nil {
			t.Fatalf("%q was read as %v", raw, fields)
		}
	})
}
