package google

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// credential is what a credentials file holds: a key, or how a workload elsewhere
// proves itself to Google. Exactly one is set.
type credential struct {
	key      *key
	external *external
}

// key is a service account's key file.
type key struct {
	address, id, tokenURL string
	// account is the account's number, which domain-wide delegation names.
	account string
	signer  *connectors.Signer
}

// external is a credential configuration of workload identity federation.
type external struct {
	audience, tokenType string
	stsURL              string
	impersonationURL    string // empty: the workload is not to become a service account
	lifetime            int    // seconds; 0: Google's default
	file, url           string
	headers             map[string]string
	field               string // of a JSON document; empty: the token itself
}

// credentialFile is the JSON of both kinds.
type credentialFile struct {
	Type string `json:"type"`

	ClientEmail string `json:"client_email"`
	ClientID    string `json:"client_id"`
	PrivateKey  string `json:"private_key"`
	KeyID       string `json:"private_key_id"`
	TokenURI    string `json:"token_uri"`

	Audience         string `json:"audience"`
	SubjectTokenType string `json:"subject_token_type"`
	TokenURL         string `json:"token_url"`
	ImpersonationURL string `json:"service_account_impersonation_url"`
	Impersonation    struct {
		Lifetime int `json:"token_lifetime_seconds"`
	} `json:"service_account_impersonation"`
	Source struct {
		File        string            `json:"file"`
		URL         string            `json:"url"`
		Headers     map[string]string `json:"headers"`
		Executable  *struct{}         `json:"executable"`
		Environment string            `json:"environment_id"`
		Certificate *struct{}         `json:"certificate"`
		Format      struct {
			Type  string `json:"type"`
			Field string `json:"subject_token_field_name"`
		} `json:"format"`
	} `json:"credential_source"`
}

// parser understands credentials files. The addresses in them are believed only
// where they are Google's, or those that the configuration names.
type parser struct{ sts, iam string }

// parse reads a credentials file. Its errors say nothing of what it holds.
func (p parser) parse(content []byte) (credential, error) {
	var f credentialFile
	if jose.StrictUnmarshal(content, &f) != nil {
		return credential{}, errors.New("is not a credentials file of Google in JSON")
	}
	switch f.Type {
	case "service_account":
		k, err := f.serviceAccount()
		return credential{key: k}, err
	case "external_account":
		e, err := p.externalAccount(&f)
		return credential{external: e}, err
	case "authorized_user":
		return credential{}, errors.New("holds a person's own credentials (gcloud auth application-default login): make a service account")
	}
	return credential{}, errors.New("holds credentials of a type we do not know: service_account and external_account are known")
}

func (f *credentialFile) serviceAccount() (*key, error) {
	if _, ok := connectors.EmailDomain(f.ClientEmail); !ok {
		return nil, errors.New("has no client_email")
	}
	if f.TokenURI != "" && connectors.CheckBaseURL(f.TokenURI) != "" {
		return nil, errors.New("has a token_uri that is not an https URL")
	}
	signer, err := connectors.ParseSigner([]byte(f.PrivateKey), "RS256")
	if err != nil {
		return nil, err
	}
	return &key{address: f.ClientEmail, id: f.KeyID, tokenURL: f.TokenURI, account: f.ClientID, signer: signer}, nil
}

// externalAccount follows Google's "Validate credential configurations from
// external sources": no program is run, and nothing is sent to a host that is not
// Google's.
func (p parser) externalAccount(f *credentialFile) (*external, error) {
	s := &f.Source
	switch {
	case s.Executable != nil:
		return nil, errors.New("wants a program to be run (credential_source.executable), which we never do: let the program write a file")
	case s.Environment != "", s.Certificate != nil:
		return nil, errors.New("has a credential_source other than file or url")
	case (s.File == "") == (s.URL == ""):
		return nil, errors.New("needs exactly one of file and url as its credential_source")
	case s.URL != "" && !fetchable(s.URL):
		return nil, errors.New("has a credential_source.url that is neither https nor the platform's own metadata address")
	case f.Audience == "" || f.SubjectTokenType == "":
		return nil, errors.New("has no audience or no subject_token_type")
	case !googles(f.TokenURL, p.sts):
		return nil, errors.New("has a token_url that is not Google's: set sts_url if it is meant so")
	case f.ImpersonationURL != "" && !googles(f.ImpersonationURL, p.iam):
		return nil, errors.New("has a service_account_impersonation_url that is not Google's: set iam_url if it is meant so")
	case f.Impersonation.Lifetime < 0:
		return nil, errors.New("has a token_lifetime_seconds below 0")
	}
	e := &external{
		audience: f.Audience, tokenType: f.SubjectTokenType, stsURL: f.TokenURL, impersonationURL: f.ImpersonationURL,
		lifetime: f.Impersonation.Lifetime, file: s.File, url: s.URL, headers: s.Headers,
	}
	switch s.Format.Type {
	case "", "text":
	case "json":
		if e.field = s.Format.Field; e.field == "" {
			return nil, errors.New("has a credential_source of format json without subject_token_field_name")
		}
	default:
		return nil, errors.New("has a credential_source of a format that is neither text nor json")
	}
	return e, nil
}

// address is that of the service account that the workload becomes; empty if there
// is none.
func (e *external) address() string {
	_, rest, _ := strings.Cut(e.impersonationURL, "/serviceAccounts/")
	address, found := strings.CutSuffix(rest, ":generateAccessToken")
	if _, ok := connectors.EmailDomain(address); !ok || !found {
		return ""
	}
	return address
}

// googles reports whether an address is at a host of Google's APIs, or at the
// configured one.
func googles(address, configured string) bool {
	u, err := url.Parse(address)
	if err != nil || connectors.CheckBaseURL(address) != "" {
		return false
	}
	if c, err := url.Parse(configured); err == nil && c.Host != "" && c.Scheme == u.Scheme && c.Host == u.Host {
		return true
	}
	// Not Hostname: the zone of an IPv6 address may end like a name, and stands within brackets.
	return u.Scheme == "https" && strings.HasSuffix(strings.TrimSuffix(u.Host, ":443"), ".googleapis.com")
}

// fetchable reports whether a workload's own token may be fetched there: over
// https, or from this machine and the link-local addresses at which platforms serve
// their metadata, which have no certificates.
func fetchable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	if u.Scheme == "http" {
		ip, err := netip.ParseAddr(u.Hostname())
		return connectors.IsLoopback(u.Hostname()) || err == nil && ip.IsLinkLocalUnicast()
	}
	return u.Scheme == "https"
}
