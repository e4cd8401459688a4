package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// This file looks at a database file before bbolt maps it. bbolt believes what it reads: a damaged page makes it panic,
// one in a goroutine of its own, which nobody can recover. Layout: bbolt's internal/common, version 2, in the byte order
// of the machine.
const (
	boltMagic       = 0xED0CDAED
	boltVersion     = 2
	pageHeaderSize  = 16
	elementSize     = 16 // of branch and leaf elements alike
	metaSize        = 64
	bucketHeader    = 16
	branchPage      = 0x01
	leafPage        = 0x02
	freelistPage    = 0x10
	bucketElement   = 0x01
	noFreelist      = ^uint64(0)
	smallestPage    = 1 << 10
	largestPage     = 1 << 24
	inspectedPages  = 2048
	maxBucketsDepth = 4
)

// metaPage is what a meta page says.
type metaPage struct {
	pageSize, root, freelist, end, txid uint64
}

// inspection walks the pages of a file, each at most once.
type inspection struct {
	file io.ReaderAt
	meta metaPage
	seen []bool
	next []reference
	page []byte // reused
}

// reference is a page to look at, and between which keys its own must be: from low up to, but without, high. nil is no
// limit.
type reference struct {
	id        uint64
	low, high []byte
}

// inspect refuses what is not a whole bbolt file. After a clean shutdown, when the list of free pages is in the file, it
// looks at that list and at a bounded number of pages from the roots down. Without the list bbolt is going to visit
// every page, and so does this.
func inspect(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 { // new
		return nil
	}
	meta, err := readMeta(file)
	if err != nil {
		return err
	}
	if meta.end > uint64(info.Size())/meta.pageSize {
		return fmt.Errorf("%w (its end is missing: %d of %d pages are there)", ErrCorrupt, uint64(info.Size())/meta.pageSize, meta.end)
	}
	i := &inspection{file: file, meta: meta, seen: make([]bool, meta.end)}
	i.seen[0], i.seen[1] = true, true
	budget := inspectedPages
	if meta.freelist == noFreelist {
		budget = int(meta.end)
	} else if err := i.freelist(meta.freelist); err != nil {
		return err
	}
	if err := i.refer(reference{id: meta.root}); err != nil {
		return err
	}
	for ; len(i.next) > 0 && budget > 0; budget-- {
		r := i.next[0]
		i.next = i.next[1:]
		if err := i.visit(r); err != nil {
			return err
		}
	}
	return nil
}

// readMeta returns the newer of the two meta pages that is whole, as bbolt would choose.
func readMeta(file io.ReaderAt) (metaPage, error) {
	first, err := metaAt(file, 0)
	if err == nil {
		if second, err := metaAt(file, int64(first.pageSize)); err == nil && second.txid > first.txid {
			return second, nil
		}
		return first, nil
	}
	why := err
	for at := int64(smallestPage); at <= largestPage; at <<= 1 {
		second, err := metaAt(file, at)
		if err == nil && second.pageSize == uint64(at) {
			return second, nil
		}
		if errors.Is(err, ErrCorrupt) {
			why = err
		}
	}
	return metaPage{}, why
}

// metaAt tells a page that was a meta page once from one that never was.
func metaAt(file io.ReaderAt, at int64) (metaPage, error) {
	var b [pageHeaderSize + metaSize]byte
	if _, err := file.ReadAt(b[:], at); err != nil {
		if errors.Is(err, io.EOF) {
			return metaPage{}, ErrForeign
		}
		return metaPage{}, err
	}
	m := b[pageHeaderSize:]
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	if u32(m) != boltMagic {
		return metaPage{}, ErrForeign
	}
	sum := fnv.New64a()
	_, _ = sum.Write(m[:metaSize-8])
	if sum.Sum64() != u64(m[metaSize-8:]) {
		return metaPage{}, fmt.Errorf("%w (checksum of its head)", ErrCorrupt)
	}
	if u32(m[4:]) != boltVersion {
		return metaPage{}, ErrNewer
	}
	p := metaPage{pageSize: uint64(u32(m[8:])), root: u64(m[16:]), freelist: u64(m[32:]), end: u64(m[40:]), txid: u64(m[48:])}
	if p.pageSize < smallestPage || p.pageSize > largestPage || p.pageSize&(p.pageSize-1) != 0 {
		return metaPage{}, fmt.Errorf("%w (pages of %d bytes)", ErrCorrupt, p.pageSize)
	}
	return p, nil
}

// refer notes that something points to a page; nothing else may.
func (i *inspection) refer(r reference) error {
	if err := i.claim(r.id); err != nil {
		return err
	}
	i.next = append(i.next, r)
	return nil
}

func (i *inspection) claim(id uint64) error {
	if id >= i.meta.end {
		return fmt.Errorf("%w (page %d does not exist)", ErrCorrupt, id)
	}
	if i.seen[id] {
		return fmt.Errorf("%w (page %d is used twice)", ErrCorrupt, id)
	}
	i.seen[id] = true
	return nil
}

// load reads a page with its overflow and checks its head. The bytes are good until the next call.
func (i *inspection) load(id uint64) ([]byte, error) {
	if i.page == nil {
		i.page = make([]byte, i.meta.pageSize)
	}
	b := i.page
	if _, err := i.file.ReadAt(b, int64(id*i.meta.pageSize)); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", id, err)
	}
	if binary.NativeEndian.Uint64(b) != id {
		return nil, fmt.Errorf("%w (page %d is another)", ErrCorrupt, id)
	}
	overflow := uint64(binary.NativeEndian.Uint32(b[12:]))
	if overflow == 0 {
		return b, nil
	}
	if overflow >= i.meta.end-id {
		return nil, fmt.Errorf("%w (page %d is too long)", ErrCorrupt, id)
	}
	for n := range overflow {
		if err := i.claim(id + 1 + n); err != nil {
			return nil, err
		}
	}
	b = make([]byte, (overflow+1)*i.meta.pageSize)
	if _, err := i.file.ReadAt(b, int64(id*i.meta.pageSize)); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", id, err)
	}
	return b, nil
}

// freelist claims the free pages, so that a page that is free and in use is noticed.
func (i *inspection) freelist(id uint64) error {
	if err := i.claim(id); err != nil {
		return err
	}
	b, err := i.load(id)
	if err != nil {
		return err
	}
	if binary.NativeEndian.Uint16(b[8:]) != freelistPage {
		return fmt.Errorf("%w (page %d is no list of free pages)", ErrCorrupt, id)
	}
	count, ids := uint64(binary.NativeEndian.Uint16(b[10:])), b[pageHeaderSize:]
	if count == 0xFFFF { // more than fit into the head: the first entry says how many
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return fmt.Errorf("%w (list of free pages)", ErrCorrupt)
	}
	for n := range count {
		if err := i.claim(binary.NativeEndian.Uint64(ids[8*n:])); err != nil {
			return err
		}
	}
	return nil
}

// visit checks a page of a tree and refers to the pages below it.
func (i *inspection) visit(r reference) error {
	b, err := i.load(r.id)
	if err != nil {
		return err
	}
	switch binary.NativeEndian.Uint16(b[8:]) {
	case branchPage:
		err = i.branch(bytes.Clone(b), r)
	case leafPage:
		err = i.leaf(b, r, 0)
	default:
		err = fmt.Errorf("%w (not a page of a tree)", ErrCorrupt)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", r.id, err)
	}
	return nil
}
