package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/configs"
	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/github"
	"gatehouse/connectors/google"
	"gatehouse/connectors/oidc"
	"gatehouse/connectors/okta"
)

const root = ".."

// vendors are the connector types of the program (cmd/broker/vendors.go).
func vendors() configs.Types {
	return configs.Types{
		"azuread": func() connectors.Config { return new(azuread.Config) },
		"github":  func() connectors.Config { return new(github.Config) },
		"google":  func() connectors.Config { return new(google.Config) },
		"oidc":    func() connectors.Config { return new(oidc.Config) },
		"okta":    func() connectors.Config { return new(okta.Config) },
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a fenced block of a document, with the comment on the line before it.
type block struct{ kind, language, text string }

var fence = regexp.MustCompile("(?ms)^(?:<!-- ([^\n]*?) -->\n)?```([a-z]+)\n(.*?)^```$")

func blocks(t *testing.T, document string) []block {
	t.Helper()
	var out []block
	for _, m := range fence.FindAllStringSubmatch(document, -1) {
		out = append(out, block{m[1], m[2], m[3]})
	}
	if len(out) == 0 {
		t.Fatal("no fenced blocks: the search for them is broken")
	}
	return out
}

// The parts that make a section of a configuration a whole one.
const (
	anIssuer     = "issuer: https://sso.example.com\n"
	someClient   = "clients:\n  - {client_id: wiki, client_secret: env:WIKI_SECRET, redirect_uris: [https://wiki.example.com/callback]}\n"
	twoProviders = "connectors:\n" +
		"  - {id: okta, type: okta, client_id: x, client_secret: env:OKTA_SECRET, issuer: https://example.okta.com}\n" +
		"  - {id: github, type: github, client_id: x, client_secret: env:GITHUB_SECRET}\n"
)

// guides are the documents that people follow to be signed in: the README, and a
// chapter for each provider.
func guides(t *testing.T) []string {
	t.Helper()
	chapters, err := filepath.Glob(filepath.Join(root, "docs/connectors/*.md"))
	if err != nil || len(chapters) != 6 {
		t.Fatalf("chapters: %v, %v", chapters, err)
	}
	out := []string{"README.md"}
	for _, c := range chapters {
		out = append(out, strings.TrimPrefix(c, root+"/"))
	}
	return out
}

// Every piece of configuration in the README and the chapters is accepted, without
// a warning, and the redirect URI of each connector in it is the one that the
// document has people register.
func TestConfigurationsOfTheGuides(t *testing.T) {
	for _, name := range []string{"GOOGLE_SECRET", "ENTRA_SECRET", "OKTA_SECRET", "OKTA_SECRET_NEW", "OKTA_API_TOKEN", "GITHUB_SECRET", "CORP_SECRET", "WIKI_SECRET"} {
		t.Setenv(name, "a-secret-of-good-length")
	}
	total := 0
	for _, doc := range guides(t) {
		loaded := tryConfigurations(t, doc, read(t, doc))
		total += loaded["connectors"]
		switch {
		case doc == "README.md" && (loaded["configuration"] < 1 || loaded["connectors"] < 6 || loaded["clients"] < 1),
			doc != "README.md" && filepath.Base(doc) != "README.md" && loaded["connectors"] < 1:
			t.Errorf("%s: only these were tried: %v", doc, loaded)
		}
	}
	if total < 6+9 {
		t.Errorf("only %d connector sections were tried", total)
	}
}

// tryConfigurations loads the YAML of a document and counts what it was.
func tryConfigurations(t *testing.T, doc, readme string) map[string]int {
	t.Helper()
	loaded := map[string]int{}
	for _, b := range blocks(t, readme) {
		if b.language != "yaml" {
			continue
		}
		text := b.text
		switch b.kind {
		case "configuration":
		case "connectors":
			text = anIssuer + text + someClient
		case "clients":
			text = anIssuer + twoProviders + text
		default:
			t.Errorf("%s: a YAML block is neither a configuration nor a section of one, so nobody tries it:\n%s", doc, text)
			continue
		}
		loaded[b.kind]++
		path := filepath.Join(t.TempDir(), "broker.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := configs.Load(path, vendors())
		if err != nil {
			t.Errorf("%v\n%s", err, text)
			continue
		}
		for _, w := range c.Warnings() {
			t.Errorf("%s\n%s", w, text)
		}
		for _, connector := range c.Connectors {
			if uri := "`" + c.Issuer + "/callback/" + connector.Base().ID + "`"; b.kind == "connectors" && !strings.Contains(readme, uri) {
				t.Errorf("%s: nobody is told to register %s", doc, uri)
			}
		}
	}
	return loaded
}

// The client that the README shows is the one that client_test.go runs.
func TestTheReadmeShowsTheClientThatIsTested(t *testing.T) {
	t.Parallel()
	parts := strings.Split(read(t, "docs/client_test.go"), "// --- README\n")
	if len(parts) != 3 {
		t.Fatal("client_test.go does not mark what is shown")
	}
	for _, b := range blocks(t, read(t, "README.md")) {
		if b.language == "go" && strings.TrimSpace(b.text) != strings.TrimSpace(parts[1]) {
			t.Error("README.md shows another client than client_test.go tests")
		}
	}
}

var (
	commandUse  = regexp.MustCompile(`Use:\s+"([a-z-]+)`)
	commandFlag = regexp.MustCompile(`BoolVar\(&[\w.]+, "([a-z-]+)"`)
)

// The commands of the README and the chapters are commands of the program, and the
// two that a newcomer types are there to the letter.
func TestCommandsOfTheReadme(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	files, err := filepath.Glob(filepath.Join(root, "cmd/broker/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		source.WriteString(read(t, strings.TrimPrefix(f, root+"/")))
	}
	known := map[string]bool{"-c": true, "broker.yaml": true}
	for _, m := range commandUse.FindAllStringSubmatch(source.String(), -1) {
		known[m[1]] = true
	}
	for _, m := range commandFlag.FindAllStringSubmatch(source.String(), -1) {
		known["--"+m[1]] = true
	}
	for _, id := range []string{"google", "entra", "okta", "github", "corp"} { // of their connectors
		known[id] = true
	}
	var lines []string
	for _, doc := range guides(t) {
		for _, b := range blocks(t, read(t, doc)) {
			if b.language == "sh" {
				lines = append(lines, strings.Split(strings.TrimSpace(b.text), "\n")...)
			}
		}
	}
	for _, line := range lines {
		_, command, found := strings.Cut(line, "bin/broker ")
		command, _, _ = strings.Cut(command, ")")
		for _, word := range strings.Fields(command) {
			if found && !known[word] {
				t.Errorf("%s: the program knows no %s", line, word)
			}
		}
	}
	// A folder of the repository is called broker: the program has to be built into another.
	for _, line := range []string{"go run ./cmd/broker demo", "go test ./...", "CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/broker"} {
		if !slices.Contains(lines, line) {
			t.Errorf("%q is not among the commands", line)
		}
	}
}

// What the README and the chapters say that people see is what the program says.
// The pages of vendors are in the table of broker connector test.
func TestMessagesOfTheGuides(t *testing.T) {
	t.Parallel()
	source := sourceOf(t, "connectors", "cmd/broker", "broker/login", "broker/flow", "broker/authorize", "broker/oauth", "broker/token")
	quoted := regexp.MustCompile(`page "([^"]+)"`)
	code := regexp.MustCompile("`([^`]+)`")
	rows := 0
	var text strings.Builder
	for _, doc := range guides(t) {
		text.WriteString(read(t, doc) + "\n")
	}
	for _, line := range strings.Split(text.String(), "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !regexp.MustCompile(`^\| (our|the log|the same|\w+'s page)`).MatchString(line) {
			continue
		}
		rows++
		for _, m := range quoted.FindAllStringSubmatch(cells[0], -1) {
			if !strings.Contains(source, `"`+m[1]+`"`) {
				t.Errorf("no page says %q", m[1])
			}
		}
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			if said := strings.TrimPrefix(m[1], "AADSTS"); !strings.Contains(source, said) {
				t.Errorf("nothing says %q", m[1])
			}
		}
	}
	if rows < 60 {
		t.Errorf("found %d rows: the search for them is broken", rows)
	}
}

// sourceOf is the text of the programs below the directories, without tests and
// emulations.
func sourceOf(t *testing.T, dirs ...string) string {
	t.Helper()
	var out strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "connectortest") {
				return err
			}
			text, err := os.ReadFile(path)
			out.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}
