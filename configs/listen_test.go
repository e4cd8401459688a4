package configs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListeners(t *testing.T) {
	t.Parallel()
	acme := "tls: {acme: {email: ops@example.com}}\n"
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"plain HTTP on loopback", "listen: '[::1]:80'\n", nil},
		{"plain HTTP on localhost", "listen: localhost:80\n", nil},
		{"plain HTTP behind a named proxy", "listen: :80\ntrusted_proxies: [10.0.0.0/8]\n", nil},
		{"plain HTTP for everybody", "listen: :80\n", []string{"4: listen: is plain HTTP for other machines"}},
		{"plain HTTP on an address of this machine", "listen: 10.0.0.1:80\n", []string{"4: listen: is plain HTTP for other machines"}},
		{"a proxy that is everybody", "listen: :80\ntrusted_proxies: [0.0.0.0/0]\n", []string{"5: trusted_proxies[0]: trusts strangers"}},
		{"a proxy that is everybody on IPv6", "trusted_proxies: [10.0.0.0/8, '::/0']\n", []string{"4: trusted_proxies[1]: trusts strangers"}},
		{"proxies that are everybody together", "trusted_proxies: [0.0.0.0/1, 128.0.0.0/1, 'fc00::/7', 10.0.0.0/8]\n",
			[]string{"4: trusted_proxies[0]: trusts strangers", "4: trusted_proxies[1]: trusts strangers"}},
		{"TLS by ACME for everybody", "listen: :443\n" + acme, nil},
		{"a host name to listen on", "listen: sso.example.com:80\n" + acme, []string{"4: listen: must have an IP address"}},
		{"no port", "listen: 127.0.0.1\n", []string{"4: listen: must be host:port"}},
		{"a port by name", "listen: 127.0.0.1:https\n", []string{"4: listen: must have a port"}},
		{"a port out of range", "listen: 127.0.0.1:65536\n", []string{"4: listen: must have a port"}},
		{"health on the public listener", "health: {listen: 127.0.0.1:5556}\n", []string{"4: health.listen: must differ from listen"}},
		{"health on any free port beside another", "listen: 127.0.0.1:0\nhealth: {listen: 127.0.0.1:0}\n", nil},
		{"health on no address", "health: {listen: on}\n", []string{"4: health.listen: must be host:port"}},
		{"outbound to everything", "outbound: {allow_networks: [0.0.0.0/0]}\n", []string{"4: outbound.allow_networks[0]: opens every private network"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, minimal+row.content, row.want...)
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	_, otherKey := certificate(t)
	for _, row := range []struct {
		name, content string
		want          []string
	}{
		{"certificate and key", "tls: {cert_file: " + cert + ", key_file: " + key + "}\n", nil},
		{"a certificate without key", "tls: {cert_file: " + cert + "}\n", []string{"4: tls.key_file: required beside cert_file"}},
		{"a key without certificate", "tls: {key_file: " + key + "}\n", []string{"4: tls.cert_file: required beside key_file"}},
		{"a key of another certificate", "tls: {cert_file: " + cert + ", key_file: " + otherKey + "}\n", []string{"4: tls: the certificate cannot be used: "}},
		{"files that are not there", "tls: {cert_file: a.pem, key_file: b.pem}\n", []string{"4: tls: the certificate cannot be used: open /"}},
		{"both files and ACME", "tls: {cert_file: " + cert + ", key_file: " + key + ", acme: {email: a@b.example}}\n", []string{"4: tls.acme: cannot be combined"}},
		{"ACME without address", "tls: {acme: {email: me}}\n", []string{"4: tls.acme.email: required"}},
		{"ACME at a plain authority", "tls: {acme: {email: a@b.example, directory_url: http://ca.example/dir}}\n", []string{"4: tls.acme.directory_url: must be https"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, minimal+row.content, row.want...)
		})
	}
	wantProblems(t, strings.Replace(minimal, "https://sso.example.com", "https://10.0.0.1", 1)+"tls: {acme: {email: a@b.example}}\n",
		"4: tls.acme: needs an issuer with a public host name")
	wantProblems(t, strings.Replace(minimal, "https://sso.example.com", "http://localhost", 1)+"tls: {cert_file: "+cert+", key_file: "+key+"}\n",
		"1: issuer: must be https when tls is set")
	c := mustLoad(t, minimal+"storage: {path: "+t.TempDir()+"/x.db}\ntls: {acme: {email: a@b.example}}\n")
	if c.TLS.ACME.CacheDir != filepath.Join(filepath.Dir(c.Storage.Path), "acme") {
		t.Errorf("ACME cache: %s", c.TLS.ACME.CacheDir)
	}
}

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestFilesThatAreNamedMustBeThere(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, content, want string }{
		{"the directory of the database", minimal + "storage: {path: none/broker.db}\n", "4: storage.path: is in the directory /"},
		{"the directory of the theme", minimal + "theme: {dir: none}\n", "4: theme.dir: is not a directory"},
		{"the directory of the socket", minimal + "admin: {socket: /none/such/a.sock}\n", "4: admin.socket: is in a directory that does not exist"},
		{"the certificates of an upstream", "issuer: https://a.example\nconnectors: [{id: a, type: fake, client_id: b, ca_file: none.pem}]\n", "2: connectors[0].ca_file: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			wantProblems(t, row.content, row.want)
		})
	}
}

func TestSocketPathsHaveALimit(t *testing.T) {
	t.Parallel()
	wantProblems(t, minimal+"admin: {socket: /"+strings.Repeat("x", 100)+"}\n", "4: admin.socket: is longer than")
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 80))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := mustLoad(t, minimal+wiki+"storage: {path: "+dir+"/broker.db}\n")
	if c.Admin.Socket != "" || len(c.Warnings()) != 1 || c.Warnings()[0].Path != "admin.socket" {
		t.Errorf("a socket that cannot be: %q, warnings %v", c.Admin.Socket, c.Warnings())
	}
}

func TestStorage(t *testing.T) {
	t.Parallel()
	wantProblems(t, minimal+"storage: {type: postgres, dsn: env:DATABASE_URL}\n",
		"4: storage.dsn: is for type postgres, which this build does not have", "4: storage.type: postgres is not in this build")
	wantProblems(t, minimal+"storage: {type: sqlite}\n", "4: storage.type: must be bolt")
	wantProblems(t, minimal+"storage: {path: ''}\n", "4: storage.path: required")
}
