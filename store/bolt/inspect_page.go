package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// elements calls visit with the head, the key and what follows the key of each element of a page, whose keys must
// ascend within the limits of the reference. size returns the lengths of key and value as the head has them.
func elements(page []byte, r reference, size func(head []byte) (at, key, value uint64), visit func(head, key, value []byte) error) error {
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if count*elementSize > len(page)-pageHeaderSize {
		return fmt.Errorf("%w (%d elements)", ErrCorrupt, count)
	}
	before := r.low
	for n := range count {
		start := pageHeaderSize + n*elementSize
		head := page[start : start+elementSize]
		at, keySize, valueSize := size(head)
		// Positions count from the element itself; all three numbers are 32 bits wide, so the sum cannot wrap.
		from := uint64(start) + at
		if from+keySize+valueSize > uint64(len(page)) {
			return fmt.Errorf("%w (element %d is outside)", ErrCorrupt, n)
		}
		key := page[from : from+keySize]
		order := bytes.Compare(before, key)
		if order > 0 || n > 0 && order == 0 || r.high != nil && bytes.Compare(key, r.high) >= 0 {
			return fmt.Errorf("%w (keys out of order)", ErrCorrupt)
		}
		if err := visit(head, key, page[from+keySize:from+keySize+valueSize]); err != nil {
			return err
		}
		before = key
	}
	return nil
}

// branch keeps parts of the page as limits of the pages below.
func (i *inspection) branch(page []byte, r reference) error {
	size := func(head []byte) (at, key, value uint64) {
		return uint64(binary.NativeEndian.Uint32(head)), uint64(binary.NativeEndian.Uint32(head[4:])), 0
	}
	var below []reference
	err := elements(page, r, size, func(head, key, _ []byte) error {
		if n := len(below); n > 0 {
			below[n-1].high = key
		}
		below = append(below, reference{id: binary.NativeEndian.Uint64(head[8:]), low: key, high: r.high})
		return nil
	})
	if err == nil && len(below) == 0 {
		err = fmt.Errorf("%w (no elements)", ErrCorrupt)
	}
	for n := 0; n < len(below) && err == nil; n++ {
		err = i.refer(below[n])
	}
	return err
}

// leaf checks a leaf page, which may also be the value of a small bucket within another page.
func (i *inspection) leaf(page []byte, r reference, depth int) error {
	size := func(head []byte) (at, key, value uint64) {
		return uint64(binary.NativeEndian.Uint32(head[4:])), uint64(binary.NativeEndian.Uint32(head[8:])), uint64(binary.NativeEndian.Uint32(head[12:]))
	}
	return elements(page, r, size, func(head, _, value []byte) error {
		if binary.NativeEndian.Uint32(head)&bucketElement == 0 {
			return nil
		}
		if len(value) < bucketHeader || depth >= maxBucketsDepth {
			return fmt.Errorf("%w (bucket)", ErrCorrupt)
		}
		if root := binary.NativeEndian.Uint64(value); root != 0 {
			return i.refer(reference{id: root})
		}
		inline := value[bucketHeader:]
		if len(inline) < pageHeaderSize || binary.NativeEndian.Uint16(inline[8:]) != leafPage {
			return fmt.Errorf("%w (bucket)", ErrCorrupt)
		}
		return i.leaf(inline, reference{}, depth+1)
	})
}
