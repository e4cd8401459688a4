package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"gatehouse/broker/seal"
	"gatehouse/connectors"
)

// Validate refuses an empty list, which is not the same as none. Absent means a file beside the database.
func (l SecretList) Validate() []connectors.Problem {
	var f faults
	if l != nil && len(l) == 0 {
		f.add("", "is an empty list: remove it, or name the secret that seals first and those that may still open behind it")
	}
	return f
}

// secretKeys is the list with its default filled in.
func (c *Config) secretKeys() SecretList {
	if len(c.SecretKey) > 0 {
		return c.SecretKey
	}
	return SecretList{Secret(filePrefix + besideDatabase(c.Storage.Path, ".key"))}
}

// missingSecretKey returns the path of the secret key's file if that is to be made at the first start: it is the only
// secret, it is a file, and there is none.
func (c *Config) missingSecretKey() (path string, missing bool) {
	keys := c.secretKeys()
	if len(keys) != 1 {
		return "", false
	}
	path, isFile := keys[0].file()
	if !isFile {
		return "", false
	}
	path = c.Path(path)
	_, err := os.Lstat(path)
	return path, errors.Is(err, fs.ErrNotExist)
}

// errSecretKeyLost is why no new key is made: everything that the old one sealed would be lost without a word.
var errSecretKeyLost = errors.New("the file is missing, but the database that its key sealed is there: " +
	"restore the file from a backup; or, to lose signing keys and sessions, move the database away as well")

// EnsureSecretKey makes the file of the secret key, readable by its owner alone, if the configuration names a single
// file that does not exist yet, and reports whether it did. It refuses when the database exists. It never replaces a
// file. Call it before the database is opened.
func (c *Config) EnsureSecretKey() (made bool, err error) {
	path, missing := c.missingSecretKey()
	if !missing {
		return false, nil
	}
	if c.databaseExists() {
		return false, fmt.Errorf("secret_key: file:%s: %w", path, errSecretKeyLost)
	}
	if err := writeOnce(path, []byte(seal.NewSecret()+"\n")); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return false, nil // another process was first; its key is as good
		}
		return false, fmt.Errorf("secret_key: file:%s: %w", path, err)
	}
	return true, nil
}

func (c *Config) databaseExists() bool {
	_, err := os.Lstat(c.Storage.Path)
	return err == nil
}

// SecretKeys returns the secrets for package seal, the one that seals first.
func (c *Config) SecretKeys() ([][]byte, error) {
	var out [][]byte
	for i, reference := range c.secretKeys() {
		key, err := c.secretKeyBytes(reference)
		if err != nil {
			return nil, fmt.Errorf("secret_key[%d]: %w", i, err)
		}
		out = append(out, key)
	}
	return out, nil
}

func (c *Config) secretKeyBytes(reference Secret) ([]byte, error) {
	text, err := c.Resolve(string(reference))
	if err != nil {
		return nil, err
	}
	return seal.ParseSecret(text)
}

// checkSecretKeys tries the secrets out, all but one that is to be made.
func (c *Config) checkSecretKeys() []connectors.Problem {
	var f faults
	if _, missing := c.missingSecretKey(); missing {
		if c.databaseExists() {
			f.add("secret_key", "%v", errSecretKeyLost)
		}
		return f
	}
	var keys [][]byte
	for i, reference := range c.secretKeys() {
		path := "secret_key"
		if len(c.SecretKey) > 1 {
			path = element(path, i)
		}
		key, err := c.secretKeyBytes(reference)
		if err != nil {
			f.add(path, "%v", err)
			continue
		}
		keys = append(keys, key)
	}
	if len(f) == 0 {
		if _, err := seal.New(keys...); err != nil {
			f.add("secret_key", "%v", err)
		}
	}
	return f
}

// writeOnce makes a file that only its owner may read, whole or not at all, and durable. An existing file stays, and
// the error is fs.ErrExist: a link, unlike a rename, replaces nothing.
func writeOnce(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*") // 0600, O_EXCL
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // which cannot sync a directory, and need not
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
