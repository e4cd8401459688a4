package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/configs"
)

// The defaults that the threat model states are those of a configuration that
// says nothing about them.
func TestDefaultsInTheThreatModel(t *testing.T) {
	t.Setenv("WIKI_SECRET", "a-secret-of-good-length")
	t.Setenv("OKTA_SECRET", "a-secret-of-good-length")
	t.Setenv("GITHUB_SECRET", "a-secret-of-good-length")
	path := filepath.Join(t.TempDir(), "broker.yaml")
	if err := os.WriteFile(path, []byte(anIssuer+twoProviders+someClient), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := configs.Load(path, vendors())
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(read(t, "docs/THREAT-MODEL.md"), "\n## Defaults\n")
	row := regexp.MustCompile("(?m)^\\| [^|]+ \\| `([^`]+)` \\| [^|]+ \\| `((?:lifetimes|limits|refresh_tokens|registration)\\.[a-z_.]+)` \\|$")
	stated := 0
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		stated++
		if got := written(value(reflect.ValueOf(*c), strings.Split(m[2], "."))); got != m[1] {
			t.Errorf("the default of %s is %s, not %s", m[2], got, m[1])
		}
	}
	if want := 9 + 14; stated != want {
		t.Errorf("the table states %d defaults, want all %d", stated, want)
	}
}

// value follows the keys of a configuration.
func value(v reflect.Value, path []string) reflect.Value {
	for _, key := range path {
		found := reflect.Value{}
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == key {
				found = v.Field(i)
			}
		}
		if !found.IsValid() {
			return found
		}
		v = found
	}
	return v
}

// written is a value as a configuration has it.
func written(v reflect.Value) string {
	if !v.IsValid() {
		return "no key"
	}
	d, ok := v.Interface().(time.Duration)
	switch {
	case !ok:
		return fmt.Sprint(v.Interface())
	case d >= time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d > time.Minute:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

// Every room of the house is in the architecture's table, on the floor where the
// test of imports has it.
func TestFloorsInTheArchitecture(t *testing.T) {
	t.Parallel()
	_, plan, _ := strings.Cut(read(t, "internal/archtest/arch_test.go"), "var floors = map[string]int{")
	plan, _, _ = strings.Cut(plan, "\n}")
	floors := map[string]string{}
	for _, m := range regexp.MustCompile(`"([\w/]+)": (\d)`).FindAllStringSubmatch(plan, -1) {
		floors[m[1]] = m[2]
	}
	if len(floors) < 25 {
		t.Fatalf("found %d floors: the search for them is broken", len(floors))
	}
	text := read(t, "docs/ARCHITECTURE.md")
	for _, m := range regexp.MustCompile(`(?m)^\| (\d) \| ([^|]+) \|`).FindAllStringSubmatch(text, -1) {
		for _, room := range inCode.FindAllStringSubmatch(m[2], -1) {
			if floors[room[1]] != m[1] {
				t.Errorf("%s is on floor %s, not %s", room[1], floors[room[1]], m[1])
			}
			delete(floors, room[1])
		}
	}
	for room := range floors {
		if !strings.Contains(text, "`"+room+"`") {
			t.Errorf("%s is not mentioned", room)
		}
	}
}
