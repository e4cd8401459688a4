package bolt

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gatehouse/broker"
)

func deleteBuckets(tx *bbolt.Tx, names [][]byte) error {
	var problems error
	for _, name := range names {
		problems = errors.Join(problems, tx.DeleteBucket(name))
	}
	return problems
}

// asFormat makes of an open file what an earlier version would have left.
func asFormat(t testing.TB, s *Store, version uint32) error {
	return s.update(t.Context(), func(x *txn) error {
		x.putMeta(metaFormat, binary.BigEndian.AppendUint32(nil, version))
		return deleteBuckets(x.tx, buckets[len(bucketsOf(version)):])
	})
}

// A grant as the formats 1 and 2 wrote it under the key "grant", byte for byte.
const firstGrantValue = "010477696b69036164610773657373696f6e06676f6f676c6501fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d50" +
	"29010203040502066f70656e69640e6f66666c696e655f616363657373c0c2d889ee010004676f6c640203707764036f7470fcc2d889ee0100" +
	"010197b0560280ed60a5a1eaa1bc45492543c8a986ad5a25b468c427eb83c3e8819107f4c3d889ee0100016da0633528deaa0144e7b058315f" +
	"0b753ec0b945163a72bf96a0d18180f9de0d067365616c6564b8c3d889ee010001b0c4d889ee01009eab5b84"

// firstGrant is what that value says.
func firstGrant() broker.Grant {
	at := func(minutes int) time.Time { return testNow.Add(time.Duration(minutes) * time.Minute) }
	return broker.Grant{
		ID: "grant", ClientID: "wiki", AccountID: "ada", SessionID: "session", Connector: "google", Identity: broker.DigestOf("ada"),
		Epochs: broker.Epochs{Account: 1, Identity: 2, Session: 3, Client: 4, Connector: 5},
		Scopes: []string{"openid", "offline_access"}, AuthTime: at(0), ACR: "gold", AMR: []string{"pwd", "otp"}, CreatedAt: at(1), Offline: true,
		Refresh: broker.Refresh{
			Current: broker.DigestOf("current"), Generation: 7, Expires: at(3),
			Previous: broker.DigestOf("previous"), Successor: []byte("sealed"), SpentAt: at(2), Retried: true,
		},
		Forget: at(4),
	}
}

// putFirstGrant stores it as it was.
func putFirstGrant(t *testing.T, s *Store) {
	t.Helper()
	value, err := hex.DecodeString(firstGrantValue)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.update(t.Context(), func(x *txn) error { x.put(grantKind, []byte("grant"), value); return nil }); err != nil {
		t.Fatal(err)
	}
}

func readGrant(t *testing.T, s *Store, id string) broker.Grant {
	t.Helper()
	st, err := s.Grant(t.Context(), id, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return *st.Grant
}

func TestAGrantOfAnEarlierFormatIsReadAndWrittenAnewWithoutLoss(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	putFirstGrant(t, s)
	want := firstGrant()
	if got := readGrant(t, s, "grant"); !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	want.Resources = []string{"https://api.example"}
	want.Claims = broker.ClaimsRequest{IDToken: []string{"email"}, UserInfo: []string{"name", "picture"}}
	for _, g := range []broker.Grant{firstGrant(), want} {
		if err := s.update(t.Context(), func(x *txn) error { x.putGrant(&g); return nil }); err != nil {
			t.Fatal(err)
		}
		if got := readGrant(t, s, "grant"); !reflect.DeepEqual(got, g) {
			t.Errorf("written anew %+v, want %+v", got, g)
		}
	}
}

// What an earlier version wrote may not say anything about what it did not know.
func TestAGrantOfAnEarlierFormatHasNoMoreThanItsFields(t *testing.T) {
	t.Parallel()
	g := firstGrant()
	e := encoder{}
	encodeGrant(&e, &g)
	for _, version := range []uint8{1, 2} {
		d := decoder{s: string(e.b), version: version}
		decodeGrant(&d, new(broker.Grant))
		if whole := d.end() == nil; whole != (version == 2) {
			t.Errorf("a body of the second version read as version %d: whole %v", version, whole)
		}
	}
}

func TestAFileOfAnEarlierFormatIsBroughtUpAndLosesNothing(t *testing.T) {
	t.Parallel()
	for _, version := range []uint32{firstFormat, secondFormat} {
		t.Run(fmt.Sprint("format ", version), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "broker.db")
			s := testStoreAt(t, path)
			replace(t, s)
			before := signIn1(t, s, "ada")
			putFirstGrant(t, s)
			if err := errors.Join(asFormat(t, s, version), s.Close()); err != nil {
				t.Fatal(err)
			}
			for start := range 2 {
				s = testStoreAt(t, path)
				broughtUp(t, s, before, start)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// broughtUp checks what there was, and that what is new works and is there at the next start.
func broughtUp(t *testing.T, s *Store, before broker.Outcome, start int) {
	t.Helper()
	if st, err := s.Grant(t.Context(), before.Grant.ID, testNow); err != nil || st.GrantStanding() != nil {
		t.Fatalf("start %d: %+v, error %v", start, st, err)
	}
	if got := readGrant(t, s, "grant"); !reflect.DeepEqual(got, firstGrant()) {
		t.Errorf("start %d: grant %+v", start, got)
	}
	if got := privateParts(t, s); got != wantParts {
		t.Errorf("start %d: keys %q", start, got)
	}
	if err := s.view(t.Context(), func(v *view) error {
		if n := binary.BigEndian.Uint32(v.meta(metaFormat)); n != format {
			t.Errorf("start %d: format %d", start, n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	d := broker.IdentityKey{Connector: "google", Issuer: "https://google.example", Subject: "ada"}.Digest()
	if _, err := s.Credential(t.Context(), d); start == 0 && !errors.Is(err, broker.ErrNotFound) || start == 1 && err != nil {
		t.Errorf("start %d: a credential: %v", start, err)
	}
	keeping(t, s, "ada", testNow, handedOut("sealed", testNow.Add(time.Hour)))
}
