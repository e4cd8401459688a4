package connectors

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// What a list that comes in pages may cost at most.
const (
	// MaxPages is the number of pages where nobody says otherwise.
	MaxPages = 50
	// walkTimeout bounds all the pages together.
	walkTimeout = 8 * time.Second
)

// Walk reads a list that comes in pages. Each page names the next one, and since
// our token goes along, a page can only lead to where the first one was: the same
// scheme and host, below the same path.
type Walk struct {
	// First is the first page's address, out of the configuration.
	First string
	// Prefix is what the paths of later pages begin with; the path of First when empty.
	Prefix string
	// Most is the number of pages at most; MaxPages when zero.
	Most int
}

// Each calls page with one address after the other until it returns none, and
// returns how many pages there were. A longer list than allowed is an Operator error
// with the cause ErrGroupsIncomplete, never a shorter list.
func (w Walk) Each(ctx context.Context, page func(ctx context.Context, address string) (next string, err error)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, walkTimeout)
	defer cancel()
	first, err := url.Parse(w.First)
	if err != nil || first.Host == "" {
		return 0, &Error{Kind: Broken, Hint: "the address of a list is not a URL"}
	}
	prefix, most := w.Prefix, w.Most
	if prefix == "" {
		prefix = first.EscapedPath()
	}
	if most <= 0 {
		most = MaxPages
	}
	seen := map[string]bool{}
	for at, pages := first, 1; ; pages++ {
		seen[at.String()] = true
		next, err := page(ctx, at.String())
		if err != nil || next == "" {
			return pages, err
		}
		link, err := at.Parse(next)
		if err != nil || !sameOrigin(first, link) || !below(prefix, link) {
			return pages, &Error{Kind: Broken, Hint: "the upstream's list goes on at an address that is not below " + first.Host + prefix}
		}
		if seen[link.String()] {
			return pages, &Error{Kind: Broken, Hint: "the upstream's list leads back to a page that was read before"}
		}
		if pages >= most {
			return pages, &Error{
				Kind: Operator, Err: ErrGroupsIncomplete,
				Hint: fmt.Sprintf("the upstream's list has more than %d pages", most),
			}
		}
		at = link
	}
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && lowerASCII(a.Host) == lowerASCII(b.Host) && b.User == nil && b.Opaque == ""
}

// below compares whole segments, and takes no path that a server could understand
// as leading upwards.
func below(prefix string, link *url.URL) bool {
	path := link.EscapedPath()
	decoded := strings.ReplaceAll(link.Path, `\`, "/")
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == ".." || segment == "." {
			return false
		}
	}
	return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
}

// Pause waits, and reports whether it could: false when the context ends before.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
