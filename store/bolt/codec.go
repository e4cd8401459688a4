package bolt

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
	"unicode/utf8"

	"gatehouse/broker"
)

// A stored value is: version (1 byte), body, checksum (4 bytes). Every body has exactly one encoding and every byte of
// a value is accounted for, so that damage is noticed rather than read as something else.
const (
	checksumLength = 4
	// yearOne is time.Time's zero in seconds before 1970: the zero time is encoded as zero.
	yearOne = 62135596800
	// latestSecond bounds decoded times so that arithmetic on them cannot overflow: the year 9999 and some.
	latestSecond = 1 << 40
)

// errDamaged is what decoding answers for any value that this package did not write under that key.
var errDamaged = errors.New("damaged record")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum binds a value to its bucket and key, so that a value that turns up elsewhere is damage too.
func checksum(k kind, key, value []byte) uint32 {
	sum := crc32.Update(uint32(k), castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

// encoder appends fields to a buffer.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) bytes(b []byte) {
	e.uint(uint64(len(b)))
	e.b = append(e.b, b...)
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// digest costs one byte when unset.
func (e *encoder) digest(d broker.Digest) {
	e.bool(!d.IsZero())
	if !d.IsZero() {
		e.b = append(e.b, d[:]...)
	}
}

// time keeps the nanosecond and forgets the zone. Moments outside the years 1 to about 36,000 become the nearest end.
func (e *encoder) time(t time.Time) {
	seconds := t.Unix() + yearOne
	nanoseconds := t.Nanosecond()
	if seconds < 0 {
		seconds, nanoseconds = 0, 0
	}
	e.uint(uint64(min(seconds, latestSecond)))
	e.uint(uint64(nanoseconds))
}

// decoder takes fields from the front of a value of a version. The first mistake sticks. Strings share the one copy
// that was made of the value, which must not be memory of the file.
type decoder struct {
	s       string
	version uint8
	bad     bool
}

func (d *decoder) fail() { d.s, d.bad = "", true }

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.s)) {
		d.fail()
		return ""
	}
	taken := d.s[:n]
	d.s = d.s[n:]
	return taken
}

// uint reads a varint in its shortest form only.
func (d *decoder) uint() uint64 {
	var v uint64
	for i := range min(len(d.s), binary.MaxVarintLen64) {
		c := d.s[i]
		if c >= 0x80 {
			v |= uint64(c&0x7f) << (7 * i)
			continue
		}
		if (c == 0 && i > 0) || (i == binary.MaxVarintLen64-1 && c > 1) {
			break
		}
		d.s = d.s[i+1:]
		return v | uint64(c)<<(7*i)
	}
	d.fail()
	return 0
}

func (d *decoder) uint32() uint32 {
	v := d.uint()
	if v > math.MaxUint32 {
		d.fail()
		return 0
	}
	return uint32(v)
}

func (d *decoder) bool() bool {
	b := d.take(1)
	if b == "" || b[0] > 1 {
		d.fail()
		return false
	}
	return b[0] == 1
}

func (d *decoder) string() string { return d.take(d.uint()) }

func (d *decoder) bytes() []byte {
	if s := d.string(); s != "" {
		return []byte(s)
	}
	return nil
}

// count reads how many items follow, none of which is shorter than size: more cannot be there, and nothing is
// allocated for a number that is a lie.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.s)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) digest() broker.Digest {
	var digest broker.Digest
	if d.bool() {
		copy(digest[:], d.take(uint64(len(digest))))
		if digest.IsZero() {
			d.fail()
		}
	}
	return digest
}

func (d *decoder) time() time.Time {
	seconds, nanoseconds := d.uint(), d.uint()
	if seconds > latestSecond || nanoseconds >= uint64(time.Second) {
		d.fail()
		return time.Time{}
	}
	return time.Unix(int64(seconds)-yearOne, int64(nanoseconds)).UTC()
}

// end reports whether the value was read completely and without a mistake.
func (d *decoder) end() error {
	if d.bad || d.s != "" {
		return errDamaged
	}
	return nil
}

// open checks version and checksum of a stored value and returns its body as a copy, ready to be read.
func open(k kind, key, value []byte) (decoder, error) {
	n := len(value) - checksumLength
	if n < 1 || checksum(k, key, value[:n]) != binary.BigEndian.Uint32(value[n:]) || value[0] < 1 || value[0] > k.version() {
		return decoder{}, errDamaged
	}
	return decoder{s: string(value[1:n]), version: value[0]}, nil
}

// printable shortens a key for an error message: text as it is, anything else not at all.
func printable(key []byte) string {
	if !utf8.Valid(key) || len(key) > 64 {
		return "(binary)"
	}
	return string(key)
}
