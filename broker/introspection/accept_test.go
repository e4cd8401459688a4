package introspection

import (
	"strings"
	"testing"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	const jwt = typeJWT
	for _, row := range []struct {
		name   string
		accept []string
		jwt    bool
	}{
		{"RFC 9701 §4: the JWT", []string{jwt}, true},
		{"the JWT in capitals", []string{"Application/Token-Introspection+JWT"}, true},
		{"the JWT beside JSON", []string{"application/json, " + jwt}, true},
		{"the JWT on a line of its own", []string{"application/json", jwt}, true},
		{"the JWT rather than JSON", []string{"application/json;q=0.5," + jwt + ";q=0.9"}, true},
		{"the JWT with the least weight, alone", []string{jwt + ";q=0.001"}, true},
		{"anything but JSON", []string{"*/*;q=0.1, application/json;q=0"}, true},
		{"the JWT, or anything with less weight", []string{jwt + ", */*;q=0.8"}, true},
		{"the JWT, or of its family with less weight", []string{"application/*;q=0.2, " + jwt + ";q=0.3"}, true},
		{"the JWT, or JSON with parameters", []string{"application/json;profile=x, " + jwt + ";q=0.5"}, true},
		{"space around the weight", []string{jwt + " ; Q=1.000"}, true},
		{"named twice, once with more weight", []string{jwt + ";q=0.1, application/json;q=0.5, " + jwt}, true},
		{"empty elements", []string{" , ," + jwt + ","}, true},

		{"no header", nil, false},
		{"an empty one", []string{""}, false},
		{"JSON", []string{"application/json"}, false},
		{"anything", []string{"*/*"}, false},
		{"anything of its family", []string{"application/*"}, false},
		{"another JWT", []string{"application/jwt"}, false},
		{"JSON rather than the JWT", []string{"application/json, " + jwt + ";q=0.9"}, false},
		{"not the JWT", []string{jwt + ";q=0"}, false},
		{"not the JWT, but anything else", []string{"*/*, " + jwt + ";q=0.000"}, false},
		{"anything rather than the JWT", []string{"*/*, " + jwt + ";q=0.5"}, false},
		{"neither", []string{"text/html"}, false},
		{"the JWT with parameters", []string{jwt + ";profile=x"}, false},
		{"the JWT within quotes", []string{`text/html;p=",` + jwt + `,"`}, false},
		{"the JWT within quotes, after a quoted quote", []string{`text/html;p="\",` + jwt + `,"`}, false},
		{"a weight above one", []string{jwt + ";q=1.001"}, false},
		{"a weight of four decimals", []string{jwt + ";q=0.1234"}, false},
		{"a negative weight", []string{jwt + ";q=-1"}, false},
		{"no weight", []string{jwt + ";q="}, false},
		{"a weight in words", []string{jwt + ";q=0.x"}, false},
		{"two weights", []string{jwt + ";q=0.5;q=0.6"}, false},
	} {
		if got := prefersJWT(row.accept); got != row.jwt {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// Whatever is sent, a JWT is preferred only where a range for it is, and a range for
// something else before it changes nothing.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{typeJWT, "application/json;q=0.5, " + typeJWT, "*/*;q=0.1,application/json;q=0", `a/b;c="\",";q=1`, ";;,,\"", typeJWT + ";q=1.0000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := prefersJWT([]string{accept})
		if got && !strings.Contains(strings.ToLower(accept), "token-introspection+jwt") && !strings.Contains(accept, "*") {
			t.Errorf("%q has no JWT in it", accept)
		}
		if again := prefersJWT([]string{`text/html;p="a,b";q=0.1`, accept}); again != got {
			t.Errorf("%q after another: %v, was %v", accept, again, got)
		}
		for _, r := range mediaRanges(accept) {
			if r.weight < 0 || r.weight > 1000 {
				t.Errorf("%q weighs %d", accept, r.weight)
			}
		}
	})
}
