package configs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/broker/seal"
)

func TestSecretKeyIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, content, file string }{
		{"beside the database when absent", minimal, "broker.key"},
		{"beside a database of another name", minimal + "storage: {path: data.db}\n", "data.key"},
		{"where the configuration says", minimal + "secret_key: file:my.key\n", "my.key"},
		{"where a list of one says", minimal + "secret_key: [file:my.key]\n", "my.key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := mustLoad(t, row.content)
			path := filepath.Join(filepath.Dir(c.File()), row.file)
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("loading made the key: %v", err)
			}
			if made, err := c.EnsureSecretKey(); !made || err != nil {
				t.Fatalf("first start: %v, %v", made, err)
			}
			info, err := os.Lstat(path)
			if err != nil || info.Mode() != 0o600 {
				t.Fatalf("the key's file: %v, %v", info.Mode(), err)
			}
			first, err := c.SecretKeys()
			if err != nil || len(first) != 1 || len(first[0]) != seal.MinSecret {
				t.Fatalf("the key: %v", err)
			}
			if made, err := c.EnsureSecretKey(); made || err != nil {
				t.Fatalf("second start: %v, %v", made, err)
			}
			second, err := c.SecretKeys()
			if err != nil || !bytes.Equal(first[0], second[0]) {
				t.Errorf("the second start has another key: %v", err)
			}
			left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestSecretKeyIsNotMadeWhenTheDatabaseIsThere(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal)
	if err := os.WriteFile(c.Storage.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := c.EnsureSecretKey()
	if made || err == nil || !strings.Contains(err.Error(), "restore the file from a backup") {
		t.Errorf("a lost key: %v, %v", made, err)
	}
	if _, err := c.SecretKeys(); err == nil {
		t.Error("there is a key nevertheless")
	}
	_, err = load(c.File(), fakeTypes(), environment)
	if err == nil || !strings.Contains(err.Error(), "secret_key: the file is missing, but the database") {
		t.Errorf("loading does not tell: %v", err)
	}
}

func TestSecretKeyOfTwoStartsAtOnceIsTheSame(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal)
	const starts = 32
	keys, made := make([][]byte, starts), make([]bool, starts)
	var all sync.WaitGroup
	for i := range starts {
		all.Go(func() {
			var err error
			if made[i], err = c.EnsureSecretKey(); err != nil {
				t.Error(err)
				return
			}
			list, err := c.SecretKeys()
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = list[0]
		})
	}
	all.Wait()
	winners := 0
	for i := range starts {
		if made[i] {
			winners++
		}
		if !bytes.Equal(keys[i], keys[0]) {
			t.Error("two starts have two keys")
		}
	}
	if winners != 1 {
		t.Errorf("%d starts made the key", winners)
	}
}

func TestSecretKeyThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+"secret_key: file:none/my.key\n")
	if made, err := c.EnsureSecretKey(); made || err == nil || !strings.HasPrefix(err.Error(), "secret_key: file:/") {
		t.Errorf("%v, %v", made, err)
	}
}

func TestSecretKeyForms(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, minimal+"secret_key: [env:SEAL2, env:SEAL]\n")
	keys, err := c.SecretKeys()
	if err != nil || len(keys) != 2 || keys[0][0] != 0xfe || keys[1][0] != 0x01 {
		t.Errorf("a list of two: %v, %v", keys, err)
	}
	if made, err := c.EnsureSecretKey(); made || err != nil {
		t.Errorf("something was made: %v, %v", made, err)
	}
	for _, row := range []struct{ name, content, want string }{
		{"an empty list", "secret_key: []", "4: secret_key: is an empty list"},
		{"a short one", "secret_key: env:SHORT", "4: secret_key: seal: the secret has 5 characters"},
		{"a short one in a list", "secret_key: [env:SEAL, env:SHORT]", "4: secret_key[1]: seal: the secret has 5 characters"},
		{"the same twice", "secret_key: [env:SEAL, env:SEAL]", "4: secret_key: seal: secret 2 is the same as secret 1"},
		{"a list with a missing file", "secret_key: [file:new.key, env:SEAL]", "4: secret_key[0]: file:new.key: the file cannot be read"},
		{"a variable that is not set", "secret_key: env:NONE", "4: secret_key: env:NONE: the environment variable is not set"},
		{"a mapping", "secret_key: {file: x}", "4: secret_key: must be a list"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, minimal+row.content+"\n", row.want)
		})
	}
}
