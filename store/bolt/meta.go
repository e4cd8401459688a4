package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"gatehouse/broker/seal"
)

// The bucket "meta" tells whose file this is and whether we may read it.
const (
	metaMagic       = "magic"
	metaFormat      = "format"
	metaCreated     = "created"
	metaCanary      = "canary"
	metaKeysVersion = "keys-version"

	magic = "gatehouse broker store"
	// format is the version of the layout: buckets, keys and the meaning of versions of records. The first had no
	// credentials, the second no devices, registrations and salts, and grants without resources and claims.
	format       = 3
	secondFormat = 2
	firstFormat  = 1
	canary       = "the secret_key is the right one"
)

// bucketsOf returns the buckets that a file of a format has; none when the format is unknown.
func bucketsOf(version uint32) [][]byte {
	switch version {
	case firstFormat:
		return buckets[:credentialKind]
	case secondFormat:
		return buckets[:deviceKind]
	case format:
		return buckets[:]
	}
	return nil
}

func (v *view) meta(key string) []byte {
	return v.bucket(metaKind).Get([]byte(key))
}

func (t *txn) putMeta(key string, value []byte) { t.put(metaKind, []byte(key), value) }

// create makes the buckets and the meta records of an empty file.
func (t *txn) create(box *seal.Box, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	for _, name := range buckets {
		if _, err := t.tx.CreateBucket(name); err != nil {
			return fmt.Errorf("making bucket %s: %w", name, err)
		}
	}
	t.putMeta(metaMagic, []byte(magic))
	t.putMeta(metaFormat, binary.BigEndian.AppendUint32(nil, format))
	t.putMeta(metaCreated, info.ModTime().UTC().AppendFormat(nil, time.RFC3339))
	t.putMeta(metaKeysVersion, make([]byte, 8))
	t.putCanary(box)
	return nil
}

func (t *txn) putCanary(box *seal.Box) {
	t.putMeta(metaCanary, box.Seal([]byte(canary), sealedFor(metaKind, []byte(metaCanary))))
}

// empty reports whether the file has no bucket at all: bbolt made it and nobody has used it, as after a crash during
// the very first start.
func (v *view) empty() bool {
	name, _ := v.tx.Cursor().First()
	return name == nil
}

// adopt takes over a file that somebody has used, and reports whether it changed anything in it.
func (t *txn) adopt(box *seal.Box) (bool, error) {
	was, err := t.recognise(box)
	if err != nil {
		return false, err
	}
	upgraded, err := t.upgrade(was)
	if err != nil {
		return false, err
	}
	resealed, err := t.reseal(box)
	return upgraded || resealed, err
}

// recognise refuses a file that is not ours, is newer than we are, or was sealed under another secret. It returns the
// file's format.
func (v *view) recognise(box *seal.Box) (uint32, error) {
	b := v.tx.Bucket(buckets[metaKind])
	if b == nil || !bytes.Equal(b.Get([]byte(metaMagic)), []byte(magic)) {
		return 0, ErrForeign
	}
	version := b.Get([]byte(metaFormat))
	if len(version) != 4 {
		return 0, ErrCorrupt
	}
	was := binary.BigEndian.Uint32(version)
	names := bucketsOf(was)
	if names == nil {
		return 0, ErrNewer
	}
	return was, v.whole(names, box)
}

// whole refuses a file of ours in which something is missing.
func (v *view) whole(names [][]byte, box *seal.Box) error {
	for _, name := range names {
		if v.tx.Bucket(name) == nil {
			return fmt.Errorf("%w (bucket %s is missing)", ErrCorrupt, name)
		}
	}
	_ = v.keysVersion() // panics when damaged, which start reports
	for _, k := range []kind{switchKind, keyKind, quotaKind, saltKind} {
		if int(k) < len(names) {
			v.verify(k)
		}
	}
	sealed := v.meta(metaCanary)
	if len(sealed) == 0 {
		return ErrCorrupt
	}
	if plain, err := box.Open(sealed, sealedFor(metaKind, []byte(metaCanary))); err != nil || string(plain) != canary {
		return ErrSecret
	}
	return nil
}

// upgrade brings a file of an earlier format up to ours, in the transaction of the start. It reports whether there was
// anything to do.
func (t *txn) upgrade(was uint32) (bool, error) {
	if was == format {
		return false, nil
	}
	for _, name := range buckets[len(bucketsOf(was)):] {
		if _, err := t.tx.CreateBucket(name); err != nil {
			return false, fmt.Errorf("%w (bucket %s: %w)", ErrCorrupt, name, err)
		}
	}
	t.putMeta(metaFormat, binary.BigEndian.AppendUint32(nil, format))
	return true, nil
}

// verify reads every record of a small bucket. A switch whose key was damaged would be off for nobody, a quota
// would be whole again and a salt made anew: absence must not be believed here, and the checksum covers the key.
func (v *view) verify(k kind) {
	c := v.bucket(k).Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		if _, err := open(k, key, value); err != nil {
			panic(damaged(k, key))
		}
	}
}

// sealHeader is how much of a sealed value names the secret it was sealed under: version and key hint (package seal).
const sealHeader = 5

// reseal moves everything sealed to the first secret, so that an older one may leave the configuration after a start.
// It reports whether there was anything to do.
func (t *txn) reseal(box *seal.Box) (bool, error) {
	fresh := box.Seal(nil, nil)
	if bytes.HasPrefix(t.meta(metaCanary), fresh[:sealHeader]) {
		return false, nil
	}
	set, err := t.keys(box)
	if err != nil {
		return false, err
	}
	salt, err := t.salt(pairwiseSalt, box)
	if err != nil {
		return false, err
	}
	t.putCanary(box)
	t.putKeys(set, box)
	if salt != nil {
		t.putSalt(pairwiseSalt, salt, box)
	}
	t.resealRegistrations(box)
	return true, nil
}
