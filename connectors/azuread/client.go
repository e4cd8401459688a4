package azuread

import (
	"strings"

	"gatehouse/connectors"
	"gatehouse/connectors/oidc"
)

// clientProblems: the registration is authenticated as in exactly one way.
func (c *Config) clientProblems(out *problems) {
	secret, certificate, federated := len(c.ClientSecret) > 0, c.ClientKey != "" || c.ClientCertificate != "", c.FederatedTokenFile != ""
	switch {
	case !secret && !certificate && !federated:
		out.add("client_secret", "required, as env:NAME, file:PATH or the secret itself; or client_key with client_certificate; or federated_token_file")
	case secret && certificate:
		out.add("client_secret", "must be absent with client_key and client_certificate: exactly one kind of credential is used")
	case secret && federated:
		out.add("client_secret", "must be absent with federated_token_file: exactly one kind of credential is used")
	case certificate && federated:
		out.add("federated_token_file", "must be absent with client_key and client_certificate: exactly one kind of credential is used")
	}
	if certificate && c.ClientKey == "" {
		out.add("client_key", "required with client_certificate: the file with the certificate's private key in PEM")
	}
	if certificate && c.ClientCertificate == "" {
		// Entra finds the key by the certificate's thumbprint.
		out.add("client_certificate", "required with client_key: the file with the certificate that is uploaded to the registration, in PEM")
	}
	if !c.ClientSecretExpires.IsZero() && !secret {
		out.add("client_secret_expires", "belongs to client_secret, which is absent")
	}
}

// clientAuth is what takes the place of the secret. With a certificate it is an
// assertion for the tenant's token endpoint, signed with PS256 and with x5t#S256
// ("Microsoft identity platform application authentication certificate
// credentials"); a federated token is sent as the platform wrote it ("Workload
// identity federation").
func (c *Config) clientAuth(env connectors.Environment) (oidc.ClientAuth, error) {
	switch {
	case c.ClientKey != "":
		return oidc.ClientAuth{ClientKey: c.ClientKey, ClientCertificate: c.ClientCertificate, ClientKeyAlg: "PS256"}, nil
	case c.FederatedTokenFile != "":
		path := c.FederatedTokenFile
		if strings.HasPrefix(path, "env:") {
			// Such as env:AZURE_FEDERATED_TOKEN_FILE, which holds a path.
			var err error
			if path, err = env.Resolve(path); err != nil {
				return oidc.ClientAuth{}, err
			}
		}
		return oidc.ClientAuth{ClientAssertionFile: path}, nil
	}
	return oidc.ClientAuth{}, nil
}
