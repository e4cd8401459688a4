package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/connectors"
)

// check-config says what each upstream will be asked for, where to register, and what expires when.
func TestCheckConfigSaysWhatConnectorsAskFor(t *testing.T) {
	t.Parallel()
	soonDay, laterDay := time.Now().AddDate(0, 0, 10).UTC().Format(time.DateOnly), time.Now().AddDate(2, 0, 0).UTC().Format(time.DateOnly)
	path := write(t, `issuer: https://sso.example.com
connectors:
  - {id: corp, type: oidc, client_id: x, client_secret: a-literal-of-good-length, issuer: https://idp.example.com, recheck_interval: 15m, client_secret_expires: `+soonDay+`}
  - {id: entra, type: azuread, client_id: x, client_secret: [a-literal-of-good-length, another-of-good-length], group_claims: graph, tenant: `+acmeDirectory+`, client_secret_expires: `+laterDay+`}
  - {id: okta, type: okta, client_id: x, client_secret: a-literal-of-good-length, issuer: https://acme.okta.com}
  - {id: google, type: google, client_id: x, client_secret: a-literal-of-good-length, groups_from: cloud_identity}
  - {id: github, type: github, client_id: x, client_secret: a-literal-of-good-length, organizations: [{name: acme}]}
clients:
  - {client_id: wiki, client_secret: a-literal-of-good-length, redirect_uris: [https://wiki.example.com/callback]}
`)
	got := command(t, "check-config", "-c", path)
	got.says(t, 0,
		"corp openid profile email offline_access every 15m0s",
		"entra openid profile email User.Read GroupMember.Read.All never Microsoft Entra admin center",
		"okta openid profile email (and groups, where the server has it) never Okta Admin Console",
		"google openid profile email https://www.googleapis.com/auth/cloud-identity.groups.readonly never Google Cloud console",
		"github read:user user:email read:org never GitHub: the owner's Settings",
		"corp client_secret expires on "+soonDay, "entra client_secret expires on "+laterDay)
	want := "warning: " + path + ": connector corp: client_secret expires on " + soonDay + ", in "
	if !strings.HasPrefix(got.stderr, want) || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("standard error is %q, want %q", got.stderr, want)
	}
	if strings.Contains(got.stdout, "-of-good-length") {
		t.Error("a secret is printed")
	}
}

// Whatever code of its own a connector gives an error, the table knows what to do about it; and what the table looks for
// in hints is in some connector's hints.
func TestAdviceFitsTheConnectors(t *testing.T) {
	t.Parallel()
	all := sourcesBelow(t, "../../connectors")
	code := regexp.MustCompile(`Kind: connectors\.[A-Z]\w+, Code: "([^"]+)"`)
	for kind := range trialVendors() {
		known := adviceOf(kind)
		if known.title == "" || known.register == "" || len(known.pages) < 3 || len(known.mistakes) < 2 {
			t.Errorf("%s: hardly anything is known of it", kind)
		}
		for _, m := range code.FindAllStringSubmatch(sourcesBelow(t, "../../connectors/"+kind), -1) {
			if !slices.ContainsFunc(slices.Concat(known.mistakes, everywhere()), func(one mistake) bool { return slices.Contains(one.codes, m[1]) }) {
				if e := (&connectors.Error{Code: m[1], Hint: m[1]}); !slices.ContainsFunc(known.mistakes, func(one mistake) bool { return one.fits(e) }) {
					t.Errorf("%s: nothing is said about the code %s", kind, m[1])
				}
			}
		}
		for _, m := range slices.Concat(known.mistakes, everywhere()) {
			if m.what == "" || m.fix == "" || len(m.codes) == 0 && m.hint == "" && len(m.kinds) == 0 {
				t.Errorf("%s: %+v fits everything, or says nothing", kind, m)
			}
			if m.hint != "" && !strings.Contains(all, m.hint) {
				t.Errorf("%s: no connector's hint says %q", kind, m.hint)
			}
		}
	}
	for k := connectors.Broken; k <= connectors.Gone; k++ {
		if m := (advice{}).diagnose(&connectors.Error{Kind: k}); m.fix == "" {
			t.Errorf("nothing is said about %s", k)
		}
	}
}

// sourcesBelow is the text of the Go files of a directory and those below it, without tests and emulations.
func sourcesBelow(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "connectortest") {
			return err
		}
		text, err := os.ReadFile(path)
		out.Write(text)
		return err
	})
	if err != nil || out.Len() < 1000 {
		t.Fatalf("%s: %d bytes, %v", dir, out.Len(), err)
	}
	return out.String()
}
