package azuread_test

import (
	"testing"

	"gatehouse/connectors"
	"gatehouse/connectors/azuread"
	"gatehouse/connectors/connectortest"
	"gatehouse/connectors/connectortest/fake"
)

func TestNationalClouds(t *testing.T) {
	t.Parallel()
	const public, us, china = "https://login.microsoftonline.com", "https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn"
	for _, tt := range []struct {
		name, authority, documented string
		want                        string // empty: refused
	}{
		{"the public cloud", public, "graph.microsoft.com", "https://graph.microsoft.com"},
		{"the public cloud, undocumented", public, "", "https://graph.microsoft.com"},
		{"the United States", us, "graph.microsoft.us", "https://graph.microsoft.us"},
		{"the Department of Defense", us, "dod-graph.microsoft.us", "https://dod-graph.microsoft.us"},
		{"the United States, undocumented", us, "", "https://graph.microsoft.us"},
		{"China", china, "microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
		{"a directory of another cloud", public, "graph.microsoft.us", ""},
		{"a host of nobody's", public, "graph.microsoft.com.evil.example", ""},
		{"a host with a path", public, "graph.microsoft.com/../evil", ""},
		{"a host with a user name", public, "graph.microsoft.com@evil.example", ""},
		{"a host with a port", public, "graph.microsoft.com:8443", ""},
		{"a URL", public, "https://graph.microsoft.com", ""},
		{"an authority of nobody's", "https://login.example.com", "graph.microsoft.com", ""},
		{"an authority without TLS", "http://login.microsoftonline.com", "graph.microsoft.com", ""},
	} {
		got, err := azuread.GraphOf(tt.authority, tt.documented)
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if tt.want == "" {
			connectortest.KindOf(t, err, connectors.Operator)
		}
	}
}

// Where graph_url says which Graph there is, the document has no say.
func TestTheConfiguredGraphIsAsked(t *testing.T) {
	t.Parallel()
	b := asked(t, "chloe", func(*azuread.Config) {})
	b.Vendor.Edit(fake.Discovery, func(doc map[string]any) { doc["msgraph_host"] = "graph.evil.example" })
	if g := groupsOf(t, b); len(g) != 250 {
		t.Errorf("got %d groups", len(g))
	}
}
