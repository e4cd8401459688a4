package connectors_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse/connectors"
)

func TestCommonProblems(t *testing.T) {
	t.Parallel()
	valid := func() connectors.Common { return connectors.Common{ID: "corp", ClientID: "c"} }
	for _, tt := range []struct {
		name   string
		change func(*connectors.Common)
		paths  []string
	}{
		{"nothing wrong", func(*connectors.Common) {}, nil},
		{"no id", func(c *connectors.Common) { c.ID = "" }, []string{"id"}},
		{"an id with capitals", func(c *connectors.Common) { c.ID = "Corp" }, []string{"id"}},
		{"an id with a colon", func(c *connectors.Common) { c.ID = "a:b" }, []string{"id"}},
		{"an id with a slash", func(c *connectors.Common) { c.ID = "a/b" }, []string{"id"}},
		{"an id that begins with a hyphen", func(c *connectors.Common) { c.ID = "-a" }, []string{"id"}},
		{"an endless id", func(c *connectors.Common) { c.ID = strings.Repeat("a", 64) }, []string{"id"}},
		{"no client_id", func(c *connectors.Common) { c.ClientID = "" }, []string{"client_id"}},
		{"two scopes in one entry", func(c *connectors.Common) { c.Scopes = []string{"openid", "profile email"} }, []string{"scopes[1]"}},
		{"reauthentication of another name", func(c *connectors.Common) { c.Reauthentication = "loose" }, []string{"reauthentication"}},
		{"best effort", func(c *connectors.Common) { c.Reauthentication = "best_effort" }, nil},
		{"an address for a domain", func(c *connectors.Common) { c.TrustedEmailDomains = []string{"corp.test", "x@corp.test"} }, []string{"trusted_email_domains[1]"}},
		{"everything at once", func(c *connectors.Common) { *c = connectors.Common{Scopes: []string{""}} }, []string{"id", "client_id", "scopes[0]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := valid()
			tt.change(&c)
			var paths []string
			for _, p := range c.Problems() {
				if paths = append(paths, p.Path); p.Message == "" {
					t.Errorf("%s: no message", p.Path)
				}
			}
			if !slices.Equal(paths, tt.paths) {
				t.Errorf("got problems at %q, want %q", paths, tt.paths)
			}
		})
	}
}

func TestCheckBaseURL(t *testing.T) {
	t.Parallel()
	for address, fine := range map[string]bool{
		"https://idp.example.com": true, "https://idp.example.com/realm/": true, "https://idp.example.com:8443": true,
		"http://127.0.0.1:5561": true, "http://[::1]:5561": true, "http://localhost": true,
		"http://idp.example.com": false, "http://10.0.0.1": false, "http://localhost.example.com": false, "http://127.0.0.1.example.com": false,
		"ftp://idp.example.com": false, "idp.example.com": false, "https://": false, "https:idp.example.com": false, "": false,
		"https://user@idp.example.com": false, "https://idp.example.com?x=1": false, "https://idp.example.com?": false, "https://idp.example.com#": false,
		"https://:443": false, "https://idp.example.com/%zz": false,
	} {
		if msg := connectors.CheckBaseURL(address); (msg == "") != fine {
			t.Errorf("CheckBaseURL(%q) = %q", address, msg)
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	env := connectors.Environment{Resolve: func(reference string) (string, error) {
		switch reference {
		case "env:UNSET":
			return "", errors.New("not set")
		case "env:EMPTY":
			return "", nil
		}
		return "resolved " + reference, nil
	}}
	for reference, want := range map[string]string{"env:SET": "resolved env:SET", "env:UNSET": "", "env:EMPTY": ""} {
		c := connectors.Common{ClientSecret: connectors.Secrets{reference}}
		source, err := c.OpenSecrets(env)
		got := ""
		if err == nil {
			got = strings.Join(source.Current(), " and ")
		}
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v", reference, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "client_secret") {
			t.Errorf("%s: the error does not name the key: %v", reference, err)
		}
	}
}
