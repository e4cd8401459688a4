package fake

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"time"
)

// addCertificate gives a JWK a self-signed certificate, and names it by the
// certificate's SHA-1 as Entra ID does (RFC 7517 §4.8; nothing rests on it).
func addCertificate(jwk map[string]any, key crypto.Signer, now time.Time) error {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "accounts.accesscontrol.windows.net"},
		NotBefore: now.Add(-day), NotAfter: now.Add(5 * 365 * day),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	sum := sha1.Sum(der)
	jwk["kid"], jwk["x5t"] = b64(sum[:]), b64(sum[:])
	jwk["x5c"] = []string{base64.StdEncoding.EncodeToString(der)}
	return nil
}

// tenantKeys says of every key for which issuer it may sign. At common that is a
// template for the tenants' keys and the personal tenant's for the other.
func (f *Entra) tenantKeys(w http.ResponseWriter, _ *http.Request, tenant string) {
	set, err := f.scopedKeys(tenant)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if set, err = f.spoilKeys(set); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	f.serveKeySet(w, "public, max-age=86400", set)
}

func (f *Entra) scopedKeys(tenant string) ([]map[string]any, error) {
	var set []map[string]any
	add := func(place int, issuer string) error {
		doc, err := f.keys.jwk(place)
		if err != nil {
			return err
		}
		doc["cloud_instance_name"], doc["issuer"] = "microsoftonline.com", issuer
		set = append(set, doc)
		return nil
	}
	if tenant != segmentConsumers {
		for _, place := range f.keys.places() {
			if err := add(place, f.Issuer(tenant)); err != nil {
				return nil, err
			}
		}
	}
	// The personal accounts have a key of their own.
	if tenant == segmentCommon || tenant == segmentConsumers || f.script.hit(EntraForeignKeyListed) {
		if err := add(secondKey, f.Issuer(segmentConsumers)); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// signer is the place of the key that signs for a person's tenant.
func (f *Entra) signer(p Person) int {
	personal := p.Entra.TenantID == personalTenant
	if personal != f.script.hit(EntraKeyOfOtherTenant) {
		return secondKey
	}
	return f.keys.current()
}
