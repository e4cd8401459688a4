package azuread

import (
	"net/url"
	"slices"

	"gatehouse/connectors"
)

const publicAuthority = "https://login.microsoftonline.com"

// knownGraphs are the hosts of Microsoft Graph that belong to an authority
// ("National clouds" and "Microsoft Graph national cloud deployments"); none for an
// authority that is not Microsoft's. The United States have two, the second for the
// Department of Defense.
func knownGraphs(authority string) []string {
	u, err := url.Parse(authority)
	if err != nil || u.Scheme != "https" {
		return nil
	}
	return map[string][]string{
		"login.microsoftonline.com":        {"graph.microsoft.com"},
		"login.microsoftonline.us":         {"graph.microsoft.us", "dod-graph.microsoft.us"},
		"login.partner.microsoftonline.cn": {"microsoftgraph.chinacloudapi.cn"},
	}[u.Host]
}

// graphOf is the Graph to ask where none is configured: the one that the directory's
// discovery document names as msgraph_host, if it is one that we know to belong to
// the authority's cloud. It is told the person's access token, so that a document
// alone does not decide.
func graphOf(authority, documented string) (string, error) {
	known := knownGraphs(authority)
	switch {
	case len(known) == 0:
		return "", &connectors.Error{Kind: connectors.Operator, Hint: "graph_url is required: the authority is none of Microsoft's public ones"}
	case documented == "":
		return "https://" + known[0], nil
	case !slices.Contains(known, documented):
		return "", &connectors.Error{
			Kind: connectors.Operator, Code: "msgraph_host",
			Hint: "the directory's discovery document names a Graph that does not belong to the authority's cloud: set authority to the cloud that the directory lives in, or set graph_url",
		}
	}
	return "https://" + documented, nil
}
