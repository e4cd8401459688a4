//go:build unix

package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// made returns the path of a store that was used and closed.
func made(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.db")
	s := testStoreAt(t, path)
	if err := turn(s, "wiki"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// alter changes the closed file through bbolt.
func alter(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func meta(key string, value []byte) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.Bucket(buckets[metaKind]).Put([]byte(key), value) }
}

// unwanted is a file that Open must refuse, and why.
type unwanted struct {
	name string
	make func(*testing.T) string
	err  error
}

func linkTo(target func(*testing.T) string) func(*testing.T) string {
	return func(t *testing.T) string {
		link := filepath.Join(t.TempDir(), "link.db")
		if err := os.Symlink(target(t), link); err != nil {
			t.Fatal(err)
		}
		return link
	}
}

func unsafeFiles() []unwanted {
	return []unwanted{
		{"a missing directory", func(t *testing.T) string { return filepath.Join(t.TempDir(), "no", "broker.db") }, ErrMissing},
		{"a directory", func(t *testing.T) string { return t.TempDir() }, ErrUnsafe},
		{"a symbolic link", linkTo(func(t *testing.T) string { return made(t) }), ErrUnsafe},
		{"a symbolic link to nothing", linkTo(func(t *testing.T) string { return filepath.Join(t.TempDir(), "no.db") }), ErrUnsafe},
		{"a named pipe", func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, ErrUnsafe},
	}
}

func foreignFiles() []unwanted {
	write := func(content []byte) func(*testing.T) string {
		return func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "notes.txt")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	other := func(bucket string) func(*testing.T) string {
		return func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "other.db")
			alter(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte(bucket)); return err })
			return path
		}
	}
	return []unwanted{
		{"a text", write([]byte("dear diary")), ErrForeign},
		{"a long text", write(bytes.Repeat([]byte("dear diary "), 1<<14)), ErrForeign},
		{"zeros", write(make([]byte, 1<<16)), ErrForeign},
		{"another program's database", other("widgets"), ErrForeign},
		{"another program's bucket of our name", other("meta"), ErrForeign},
	}
}

// alteredFiles are whole databases with something else in them.
func alteredFiles() []unwanted {
	altered := func(change func(*bbolt.Tx) error) func(*testing.T) string {
		return func(t *testing.T) string { path := made(t); alter(t, path, change); return path }
	}
	flipped := func(k kind, key string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket(buckets[k]).Put([]byte(key), []byte("?")) }
	}
	return []unwanted{
		{"another word of magic", altered(meta(metaMagic, []byte("gatehouse broker stone"))), ErrForeign},
		{"a newer format", altered(meta(metaFormat, binary.BigEndian.AppendUint32(nil, format+1))), ErrNewer},
		{"the first format with a bucket that it did not have", altered(meta(metaFormat, binary.BigEndian.AppendUint32(nil, firstFormat))), ErrCorrupt},
		{"the second format with a bucket that it did not have", altered(meta(metaFormat, binary.BigEndian.AppendUint32(nil, secondFormat))), ErrCorrupt},
		{"the first format without a bucket that it had", altered(func(tx *bbolt.Tx) error {
			return errors.Join(meta(metaFormat, binary.BigEndian.AppendUint32(nil, firstFormat))(tx),
				deleteBuckets(tx, buckets[credentialKind:]), tx.DeleteBucket(buckets[grantKind]))
		}), ErrCorrupt},
		{"a format before the first", altered(meta(metaFormat, make([]byte, 4))), ErrNewer},
		{"our format without a bucket it brought", altered(func(tx *bbolt.Tx) error { return tx.DeleteBucket(buckets[saltKind]) }), ErrCorrupt},
		{"a format that is no number", altered(meta(metaFormat, []byte{1})), ErrCorrupt},
		{"a missing bucket", altered(func(tx *bbolt.Tx) error { return tx.DeleteBucket(buckets[grantKind]) }), ErrCorrupt},
		{"a missing canary", altered(func(tx *bbolt.Tx) error { return tx.Bucket(buckets[metaKind]).Delete([]byte(metaCanary)) }), ErrCorrupt},
		{"a damaged version of the keys", altered(meta(metaKeysVersion, []byte{1})), ErrCorrupt},
		{"a damaged switch", altered(flipped(switchKind, "client:wiki")), ErrCorrupt},
		{"a damaged quota", altered(flipped(quotaKind, "token")), ErrCorrupt},
		{"a damaged salt", altered(flipped(saltKind, "pairwise")), ErrCorrupt},
		{"a damaged signing key", altered(flipped(keyKind, "a")), ErrCorrupt},
	}
}

// damagedFiles are databases whose pages are not all there.
func damagedFiles() []unwanted {
	edited := func(edit func(*testing.T, []byte) []byte) func(*testing.T) string {
		return func(t *testing.T) string {
			path := made(t)
			content, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, edit(t, content), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	page := os.Getpagesize()
	return []unwanted{
		{"a file cut in the middle of its head", edited(func(_ *testing.T, b []byte) []byte { return b[:40] }), ErrForeign},
		{"a file cut behind its head", edited(func(_ *testing.T, b []byte) []byte { return b[:2*page] }), ErrCorrupt},
		{"a file whose last page is missing", edited(func(t *testing.T, b []byte) []byte {
			m, err := readMeta(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			return b[:(m.end-1)*m.pageSize]
		}), ErrCorrupt},
		{"two damaged heads", edited(func(_ *testing.T, b []byte) []byte {
			b[pageHeaderSize+20]++
			b[page+pageHeaderSize+20]++
			return b
		}), ErrCorrupt},
		{"pages of zeros behind the heads", edited(func(_ *testing.T, b []byte) []byte { clear(b[2*page:]); return b }), ErrCorrupt},
	}
}

func TestAFileThatIsNotCertainlyOursIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range slices.Concat(unsafeFiles(), foreignFiles(), alteredFiles(), damagedFiles()) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := tc.make(t)
			before, _ := os.ReadFile(regular(path))
			s, err := Open(path, Options{Seal: testSeal(t)})
			if err == nil {
				_ = s.Close()
			}
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if text := err.Error(); !strings.Contains(text, path) || !strings.HasSuffix(text, ": "+advice(tc.err)) || strings.Contains(text, "\n") {
				t.Errorf("%q does not say where and what to do", text)
			}
			if after, _ := os.ReadFile(regular(path)); !bytes.Equal(after, before) {
				t.Error("the file was changed")
			}
		})
	}
}

// regular keeps a test from reading a pipe.
func regular(path string) string {
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
		return path
	}
	return os.DevNull
}

func TestASecretThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	path := made(t)
	if _, err := Open(path, Options{Seal: ringOf(t, 2)}); !errors.Is(err, ErrSecret) || !strings.Contains(err.Error(), "secret_key") {
		t.Errorf("error %v, want %v", err, ErrSecret)
	}
	if _, err := Open(path, Options{}); err == nil {
		t.Error("opened without a secret")
	}
	if err := testStoreAt(t, path).Ready(); err != nil {
		t.Error(err)
	}
}

func TestAFileInUseIsRefusedAfterTheTimeout(t *testing.T) {
	t.Parallel()
	path := made(t)
	s := testStoreAt(t, path)
	if _, err := Open(path, Options{Seal: testSeal(t), Timeout: 50 * time.Millisecond}); !errors.Is(err, ErrLocked) {
		t.Errorf("error %v, want %v", err, ErrLocked)
	}
	if err := turn(s, "still works"); err != nil {
		t.Error(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = s.Close() })
	next, err := Open(path, Options{Seal: testSeal(t), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatalf("after the other let go: %v", err)
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFileIsForItsUserAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broker.db")
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := testStoreAt(t, path).Close(); err != nil || mode() != 0o600 {
		t.Fatalf("mode %o of a new file, error %v", mode(), err)
	}
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, err := Open(path, Options{Seal: testSeal(t), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if mode() != 0o600 || !strings.Contains(log.String(), "0600") {
		t.Errorf("mode %o, log %q, want it repaired and said", mode(), log.String())
	}
}

func TestAFileOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	path := made(t)
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{Seal: testSeal(t)}); !errors.Is(err, ErrUnsafe) {
		t.Errorf("error %v, want %v", err, ErrUnsafe)
	}
}

func TestAFileThatACrashLeftWithoutContentIsMadeOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]func(string) error{
		"no bytes":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"no buckets": func(path string) error { db, err := bbolt.Open(path, 0o600, nil); return errors.Join(err, db.Close()) },
	} {
		path := filepath.Join(dir, name)
		if err := content(path); err != nil {
			t.Fatal(err)
		}
		if err := turn(testStoreAt(t, path), "wiki"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
