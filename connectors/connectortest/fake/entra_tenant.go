package fake

import "crypto/sha256"

// EntraTenant is a directory of Entra ID.
type EntraTenant struct {
	// ID is a GUID; Domain also names the tenant in paths.
	ID, Domain, Name string
}

// personalTenant holds every personal Microsoft account. The number is fixed by
// the vendor.
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// The tenants of EntraTenants.
const (
	acmeTenant    = "8f2c1d7e-1111-4a3b-9c55-0d1f2e3a4b5c"
	partnerTenant = "c0ffee00-2222-4b4b-8888-aaaabbbbcccc"
)

// EntraTenants are the directories the cast EntraPeople lives in.
func EntraTenants() []EntraTenant {
	return []EntraTenant{
		{ID: acmeTenant, Domain: "acme.example", Name: "Acme"},
		{ID: partnerTenant, Domain: "partner.example", Name: "Partner"},
	}
}

// entraLoginHint is the opaque login_hint claim, which may be sent back as the
// request parameter of the same name.
func entraLoginHint(p Person) string {
	if p.Entra.ObjectID == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("login_hint:" + p.Entra.ObjectID))
	return "O." + b64(sum[:])
}

// tenantBeside is a tenant that exists and is not this one.
func (f *Entra) tenantBeside(id string) string {
	for _, t := range f.opts.Entra.Tenants {
		if t.ID != id {
			return t.ID
		}
	}
	return id
}
