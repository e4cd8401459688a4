//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// spoil is a way to make a world whose broker must not start. It returns how to run the program, or nil.
type spoil func(t *testing.T, w *world) func(*exec.Cmd)

// edited changes the bytes of the database.
func edited(change func([]byte) []byte) spoil {
	return func(t *testing.T, w *world) func(*exec.Cmd) {
		w.write("broker.db", string(change([]byte(w.read("broker.db")))))
		return nil
	}
}

// instead puts something else where the database is.
func instead(put func(t *testing.T, path string)) spoil {
	return func(t *testing.T, w *world) func(*exec.Cmd) {
		ok(t, os.Rename(w.file("broker.db"), w.file("moved.db")))
		put(t, w.file("broker.db"))
		return nil
	}
}

// half cuts a database in the middle of what it holds; the end of the file is not used yet.
func half(database string) string { return database[:len(strings.TrimRight(database, "\x00"))/2] }

// throughBolt changes a database as another program that uses bbolt would.
func throughBolt(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	ok(t, err)
	ok(t, db.Update(change))
	ok(t, db.Close())
}

// replaced is the configuration with another text in it.
func replaced(old, text string) spoil {
	return func(t *testing.T, w *world) func(*exec.Cmd) {
		before := w.read("broker.yaml")
		if !strings.Contains(before, old) {
			t.Fatalf("%q is not in the configuration", old)
		}
		w.write("broker.yaml", strings.Replace(before, old, text, 1))
		return nil
	}
}

// refusal is a world whose broker must not start, and what it has to say.
type refusal struct {
	name  string
	spoil spoil
	want  []string
}

// damages are databases whose content is not certainly ours and whole.
func damages() []refusal {
	const (
		damaged = "file is damaged"
		restore = "restore it from a backup, or move it away to start empty; the file was left as it is"
		foreign = "file was not made by this program"
		another = "configure another storage path"
	)
	page := os.Getpagesize()
	return []refusal{
		{"with zeros for pages", edited(func(b []byte) []byte { clear(b[2*page:]); return b }), []string{damaged, restore}},
		{"with a flipped byte in the head of each page", edited(func(b []byte) []byte {
			for at := 2 * page; at < len(b); at += page {
				b[at+8] ^= 0x55 // the kind of page
			}
			return b
		}), []string{damaged, restore}},
		{"with two damaged heads", edited(func(b []byte) []byte { b[40] ^= 1; b[page+40] ^= 1; return b }), []string{damaged, restore}},
		{"that is cut in half", edited(func(b []byte) []byte { return []byte(half(string(b))) }), []string{damaged, restore}},
		{"that is cut behind its heads", edited(func(b []byte) []byte { return b[:2*page] }), []string{damaged, restore}},
		{"that is cut in its first page", edited(func(b []byte) []byte { return b[:50] }), []string{foreign, another}},
		{"of garbage", edited(func(b []byte) []byte {
			for i := range b {
				b[i] = byte(i*7 + i>>8)
			}
			return b
		}), []string{foreign, another}},
		{"that is a text", edited(func([]byte) []byte { return []byte("dear diary\n") }), []string{foreign, another}},
		{"of another program that uses bbolt", instead(func(t *testing.T, path string) {
			throughBolt(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("widgets")); return err })
		}), []string{foreign, another}},
		{"of a newer version", func(t *testing.T, w *world) func(*exec.Cmd) {
			throughBolt(t, w.file("broker.db"), func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, 1<<20))
			})
			return nil
		}, []string{"file was written by a newer version", "run that version again, or restore a backup from before the update"}},
	}
}

// strangers are databases that are not for us alone, or not for us at all.
func strangers() []refusal {
	const (
		unsafe = "not a private file of this user"
		runsAs = "make it and its directory readable and writable by the user that the broker runs as"
	)
	return []refusal{
		{"that is a directory", instead(func(t *testing.T, path string) { ok(t, os.Mkdir(path, 0o700)) }), []string{unsafe, "directory", "configure a path to a regular file"}},
		{"behind a symbolic link", instead(func(t *testing.T, path string) { ok(t, os.Symlink("moved.db", path)) }), []string{unsafe, "symbolic link"}},
		{"behind a symbolic link to nothing", instead(func(t *testing.T, path string) { ok(t, os.Symlink("nothing.db", path)) }), []string{unsafe, "symbolic link"}},
		{"of another user", func(t *testing.T, w *world) func(*exec.Cmd) {
			as := asSomebodyElse(t)
			ok(t, os.Chmod(w.file("broker.db"), 0o666))
			unprivileged(t, w.dir, w.path, w.file("broker.key"))
			return as
		}, []string{unsafe, "owned by user 0"}},
		{"that may not be opened", func(t *testing.T, w *world) func(*exec.Cmd) {
			ok(t, os.Chmod(w.file("broker.db"), 0))
			return unprivileged(t, w.dir, w.path, w.file("broker.key"), w.file("broker.db"))
		}, []string{"broker.db", "permission denied", runsAs}},
		{"in a directory that may not be written", func(t *testing.T, w *world) func(*exec.Cmd) {
			ok(t, os.Remove(w.file("broker.db")))
			ok(t, os.Chmod(w.dir, 0o500))
			return unprivileged(t, w.dir, w.path, w.file("broker.key"))
		}, []string{"broker.db", "permission denied", runsAs}},
		{"in a directory that does not exist", replaced("path: broker.db", "path: nowhere/broker.db"), []string{"storage.path: ", "nowhere, which does not exist: make it"}},
		{"of another secret", func(t *testing.T, w *world) func(*exec.Cmd) {
			w.write("broker.key", do(t, "secret").stdout)
			return nil
		}, []string{"secret_key does not fit this file", "put the secret_key it was made with back"}},
		{"whose secret is gone", func(t *testing.T, w *world) func(*exec.Cmd) {
			ok(t, os.Remove(w.file("broker.key")))
			return nil
		}, []string{"secret_key: the file is missing", "restore the file from a backup", "move the database away"}},
		{"whose secret is short", func(_ *testing.T, w *world) func(*exec.Cmd) { w.write("broker.key", "hunter2\n"); return nil },
			[]string{"secret_key: ", "broker secret prints one"}},
	}
}

// ST-04, ST-05: a database that is not certainly ours, whole and for us alone is left byte for byte as it is, and the
// broker says in one sentence what to do.
func TestServeRefusesADatabase(t *testing.T) {
	t.Parallel()
	for _, row := range slices.Concat(damages(), strangers()) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "http://localhost:7", settings{}).used()
			run := row.spoil(t, w)
			unchanged := w.keep()
			p := launch(t, run, "serve", "-c", w.path)
			got := result{p.wait(), p.stdout.String(), p.stderr.String()}
			oneSentence(t, got, row.want...)
			if strings.Contains(got.stderr, "hunter2") {
				t.Error("the secret is printed")
			}
			unchanged()
		})
	}
}

func TestServeRefusesADatabaseThatARunningBrokerHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	first := w.serve()
	ada := w.browser()
	tokens := ada.tokens(t.Context())
	unchanged := w.keep()
	oneSentence(t, do(t, "serve", "-c", w.path), "broker.db: file is in use by another process", "stop the other process, or configure another storage path")
	unchanged()
	expect(t, "the first broker", 200)(w.userInfo(t.Context(), tokens.text("access_token")))
	if n := len(w.listed("list")); n != 1 {
		t.Errorf("the first broker's socket: %d keys", n)
	}
	ada.tokens(t.Context())
	first.stop()
}

// A refused file is as good as it was: what a person put right by hand starts again with everything in it.
func TestServeStartsAgainOnceTheCauseIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "http://localhost:7", settings{})
	p := w.serve()
	tokens := w.browser().tokens(t.Context())
	p.stop()
	whole := w.read("broker.db")
	w.write("broker.db", half(whole))
	oneSentence(t, do(t, "serve", "-c", w.path), "file is damaged")
	w.write("broker.db", whole)
	key := w.read("broker.key")
	ok(t, os.Remove(w.file("broker.key")))
	oneSentence(t, do(t, "serve", "-c", w.path), "secret_key: the file is missing")
	oneSentence(t, do(t, "keys", "list", "-c", w.path), "secret_key: the file is missing")
	w.write("broker.key", key)
	w.serve()
	expect(t, "an access token", 200)(w.userInfo(t.Context(), tokens.text("access_token")))
	expect(t, "a refresh token", 200)(w.refresh(t.Context(), tokens.text("refresh_token")))
	if bytes.Equal([]byte(whole), []byte(w.read("broker.db"))) {
		t.Error("nothing was written: the test sees nothing")
	}
}
