package fake

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// GoogleOptions are Google's switches.
type GoogleOptions struct {
	// Groups are those that exist; GoogleGroups when nil.
	Groups []GoogleGroup
	// Page is how many rows the group APIs put on a page at most; what they document
	// when zero.
	Page int
	// Delegated are the scopes of the service account's domain-wide delegation; all
	// that the fake knows when nil.
	Delegated []string
	// AccountIsAdmin gives the service account an administrator's role of its own, so
	// that Cloud Identity answers it without impersonation.
	AccountIsAdmin bool
}

// GoogleGroup is a group of a Workspace.
type GoogleGroup struct {
	ID, Email, Name string
	Security        bool
	// Namespace marks a group of another directory that was mapped into Google's; its
	// Email is then any text at all.
	Namespace string
	// In are the addresses of the groups that this one is a member of.
	In []string
}

// googleMember is a group as one member sees it.
type googleMember struct {
	GoogleGroup
	direct, indirect bool
}

// relation is Cloud Identity's relationType.
func (m googleMember) relation() string {
	switch {
	case m.direct && m.indirect:
		return "DIRECT_AND_INDIRECT"
	case m.direct:
		return "DIRECT"
	}
	return "INDIRECT"
}

func (f *Google) groups() []GoogleGroup {
	if f.opts.Google.Groups != nil {
		return f.opts.Google.Groups
	}
	return GoogleGroups()
}

// memberships are the groups somebody is in who is directly in these.
func (f *Google) memberships(direct []string, nested bool) []googleMember {
	all := f.groups()
	var out []googleMember
	at := map[string]int{}
	join := func(address string, directly bool) bool {
		i := slices.IndexFunc(all, func(g GoogleGroup) bool { return g.Email == address })
		if i < 0 {
			return false
		}
		row, known := at[address]
		if !known {
			row = len(out)
			at[address] = row
			out = append(out, googleMember{GoogleGroup: all[i]})
		}
		if directly {
			out[row].direct = true
		} else {
			out[row].indirect = true
		}
		return !known
	}
	for _, address := range direct {
		join(address, true)
	}
	for i := 0; nested && i < len(out); i++ {
		for _, above := range out[i].In {
			join(above, false)
		}
	}
	return out
}

// page cuts rows as both APIs do: a size that is clamped, and an opaque token.
func (f *Google) page(r *http.Request, sizeParam string, usual, most, rows int) (from, to int, next string) {
	size, err := strconv.Atoi(r.FormValue(sizeParam))
	if err != nil || size < 1 {
		size = usual
	}
	size = min(size, most)
	if f.opts.Google.Page > 0 {
		size = min(size, f.opts.Google.Page)
	}
	token, _ := strings.CutPrefix(string(unb64(r.FormValue("pageToken"))), "from:")
	from, _ = strconv.Atoi(token)
	from = max(0, min(from, rows))
	to = min(from+size, rows)
	switch {
	case f.script.hit(GoogleSamePage):
		return 0, min(size, rows), b64([]byte("from:0"))
	case f.script.hit(GoogleEndlessPages):
		// The token counts on, the rows begin anew.
		n, _ := strconv.Atoi(token)
		return 0, min(size, rows), b64([]byte("from:" + strconv.Itoa(n+1)))
	case to < rows:
		next = b64([]byte("from:" + strconv.Itoa(to)))
	}
	return from, to, next
}
