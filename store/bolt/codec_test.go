package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"gatehouse/broker"
)

// coding is one kind of record with its two functions, seen through any.
type coding struct {
	name   string
	kind   kind
	empty  func() any
	encode func(*encoder, any)
	decode func(*decoder) any
	// inKey are the fields that the key holds.
	inKey []string
}

func codingOf[T any](name string, k kind, encode func(*encoder, *T), decode func(*decoder, *T), inKey ...string) coding {
	return coding{
		name:   name,
		kind:   k,
		empty:  func() any { return new(T) },
		encode: func(e *encoder, r any) { encode(e, r.(*T)) },
		decode: func(d *decoder) any { r := new(T); decode(d, r); return r },
		inKey:  inKey,
	}
}

func codings() []coding {
	return []coding{
		codingOf("account", accountKind, encodeAccount, decodeAccount, "ID"),
		codingOf("identity", identityKind, encodeIdentity, decodeIdentity),
		codingOf("session", sessionKind, encodeSession, decodeSession, "ID"),
		codingOf("grant", grantKind, encodeGrant, decodeGrant, "ID"),
		codingOf("code", codeKind, encodeCode, decodeCode, "Key"),
		codingOf("device", deviceKind, encodeDevice, decodeDevice, "Key"),
		codingOf("user code", userCodeKind, encodeExpiringKey, decodeExpiringKey),
		codingOf("registration", registrationKind, encodeRegistration, decodeRegistration, "ClientID"),
		codingOf("quota", quotaKind, encodeQuota, decodeQuota),
		codingOf("salt", saltKind, encodeSalt, decodeSalt),
		codingOf("consent", consentKind, encodeConsent, decodeConsent, "AccountID", "ClientID"),
		codingOf("credential", credentialKind, encodeCredential, decodeCredential, "Identity"),
		codingOf("switch", switchKind, encodeSwitch, decodeSwitch),
		codingOf("key", keyKind, encodeKey, decodeKey, "ID"),
		codingOf("event", eventKind, encodeEvent, decodeEvent),
	}
}

// fillIn gives every field of a value something that is not its zero, so that a field which the codec forgets is seen.
func fillIn(v reflect.Value, n *uint64) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 3, 1, 12, 0, int(*n%60), int(*n), time.UTC)))
		return
	case broker.Digest:
		v.Set(reflect.ValueOf(broker.DigestOf(string(rune(*n)))))
		return
	case broker.EmailTrust:
		v.Set(reflect.ValueOf(broker.EmailVerified))
		return
	case time.Duration:
		v.Set(reflect.ValueOf(time.Duration(*n)))
		return
	case broker.DeviceDecision:
		v.Set(reflect.ValueOf(broker.DeviceDenied))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillIn(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fillIn(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fillIn(v.Index(i), n)
		}
	case reflect.String:
		v.SetString("text " + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(*n % 250)
	default:
		panic("a field of a kind that the test does not know: " + v.Type().String())
	}
}

func (c coding) full() any {
	r := c.empty()
	var n uint64
	fillIn(reflect.ValueOf(r).Elem(), &n)
	for _, field := range c.inKey {
		reflect.ValueOf(r).Elem().FieldByName(field).SetZero()
	}
	return r
}

// decoder reads a body of the version in which the kind is written.
func (c coding) decoder(body []byte) decoder {
	return decoder{s: string(body), version: c.kind.version()}
}

func (c coding) encoded(r any) []byte {
	e := encoder{}
	c.encode(&e, r)
	return e.b
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	for _, c := range codings() {
		for name, r := range map[string]any{"full": c.full(), "empty": c.empty()} {
			d := c.decoder(c.encoded(r))
			back := c.decode(&d)
			if err := d.end(); err != nil {
				t.Errorf("%s %s: %v", name, c.name, err)
			}
			if !reflect.DeepEqual(back, r) {
				t.Errorf("%s %s:\n%+v, want\n%+v", name, c.name, back, r)
			}
		}
	}
}

func TestAValueWithAPieceMissingOrTooMuchIsDamaged(t *testing.T) {
	t.Parallel()
	for _, c := range codings() {
		whole := c.encoded(c.full())
		for n := range whole {
			d := c.decoder(whole[:n])
			c.decode(&d)
			if d.end() == nil {
				t.Errorf("%s: the first %d of %d bytes were taken for a record", c.name, n, len(whole))
			}
		}
		d := c.decoder(append(slices.Clone(whole), 0))
		c.decode(&d)
		if d.end() == nil {
			t.Errorf("%s: a byte too much was not noticed", c.name)
		}
	}
}

func TestAStoredValueBelongsToItsPlace(t *testing.T) {
	t.Parallel()
	key := []byte("key")
	value := append([]byte{grantKind.version()}, "body"...)
	value = binary.BigEndian.AppendUint32(value, checksum(grantKind, key, value))
	if d, err := open(grantKind, key, value); err != nil || d.s != "body" || d.version != grantKind.version() {
		t.Fatalf("body %q, error %v", d.s, err)
	}
	damage := map[string]error{}
	_, damage["another bucket"] = open(codeKind, key, value)
	_, damage["another key"] = open(grantKind, []byte("kez"), value)
	_, damage["nothing"] = open(grantKind, key, nil)
	_, damage["four bytes"] = open(grantKind, key, value[:4])
	for i := range len(value) * 8 {
		flipped := slices.Clone(value)
		flipped[i/8] ^= 1 << (i % 8)
		_, damage["a flipped bit"] = open(grantKind, key, flipped)
		if damage["a flipped bit"] == nil {
			t.Errorf("bit %d was flipped unnoticed", i)
		}
	}
	for name, version := range map[string]uint8{"a later version": grantKind.version() + 1, "no version": 0} {
		value := append([]byte{version}, "body"...)
		value = binary.BigEndian.AppendUint32(value, checksum(grantKind, key, value))
		_, damage[name] = open(grantKind, key, value)
	}
	for name, err := range damage {
		if !errors.Is(err, errDamaged) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestMomentsKeepTheNanosecondAndForgetTheZone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, out string }{
		{"a moment", "2026-03-01T12:00:00.123456789+02:00", "2026-03-01T10:00:00.123456789Z"},
		{"before 1970", "1815-12-10T00:00:00Z", "1815-12-10T00:00:00Z"},
		{"the year one", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
		{"before that", "0000-06-01T00:00:00.5Z", "0001-01-01T00:00:00Z"},
		{"the far future", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
	} {
		in, err := time.Parse(time.RFC3339Nano, tc.in)
		if err != nil {
			t.Fatal(err)
		}
		e := encoder{}
		e.time(in)
		d := decoder{s: string(e.b)}
		if got := d.time().Format(time.RFC3339Nano); got != tc.out || d.end() != nil {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.out)
		}
	}
	e := encoder{}
	e.time(time.Unix(math.MaxInt64/2, 0))
	d := decoder{s: string(e.b)}
	if got := d.time(); got.Year() < 30_000 || d.end() != nil {
		t.Errorf("beyond all time: %v", got)
	}
}

func TestNumbersHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"a zero too much":   "\x80\x00",
		"more than 64 bits": "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
		"no end":            "\xff\xff",
		"far too long":      "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
		"nothing":           "",
	} {
		d := decoder{s: s}
		if v := d.uint(); !d.bad || v != 0 {
			t.Errorf("%s was read as %d", name, v)
		}
	}
	for _, v := range []uint64{0, 1, 127, 128, 1 << 32, math.MaxUint64} {
		e := encoder{}
		e.uint(v)
		d := decoder{s: string(e.b)}
		if got := d.uint(); got != v || d.end() != nil {
			t.Errorf("%d came back as %d", v, got)
		}
	}
}

// fuzzRecord: whatever decodes has exactly this one encoding, and nothing panics.
func fuzzRecord(f *testing.F, name string) {
	i := slices.IndexFunc(codings(), func(c coding) bool { return c.name == name })
	c := codings()[i]
	f.Add(c.encoded(c.full()))
	f.Add(c.encoded(c.empty()))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := c.decoder(body)
		r := c.decode(&d)
		if d.end() != nil {
			return
		}
		if again := c.encoded(r); !bytes.Equal(again, body) {
			t.Errorf("%x decodes to %+v, which is encoded as %x", body, r, again)
		}
	})
}

func FuzzDecodeCredential(f *testing.F)   { fuzzRecord(f, "credential") }
func FuzzDecodeAccount(f *testing.F)      { fuzzRecord(f, "account") }
func FuzzDecodeIdentity(f *testing.F)     { fuzzRecord(f, "identity") }
func FuzzDecodeSession(f *testing.F)      { fuzzRecord(f, "session") }
func FuzzDecodeGrant(f *testing.F)        { fuzzRecord(f, "grant") }
func FuzzDecodeCode(f *testing.F)         { fuzzRecord(f, "code") }
func FuzzDecodeDevice(f *testing.F)       { fuzzRecord(f, "device") }
func FuzzDecodeRegistration(f *testing.F) { fuzzRecord(f, "registration") }
func FuzzDecodeConsent(f *testing.F)      { fuzzRecord(f, "consent") }
func FuzzDecodeSwitch(f *testing.F)       { fuzzRecord(f, "switch") }
func FuzzDecodeKey(f *testing.F)          { fuzzRecord(f, "key") }
func FuzzDecodeEvent(f *testing.F)        { fuzzRecord(f, "event") }
