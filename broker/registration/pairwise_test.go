package registration

import (
	"net/http"
	"testing"

	"gatehouse/broker/oauth"
)

// DR-06: nobody learns by which sub a sector knows people who has not proved to be of
// it. Naming what the sector has published proves nothing where no answer goes there.
func TestDR06ASectorIsJoinedByItsOwnAlone(t *testing.T) {
	t.Parallel()
	p := openPolicy()
	p.GrantTypes, p.Loopback, p.PrivateSchemes = append(p.GrantTypes, oauth.GrantTypeDeviceCode), true, true
	w := newWorld(t, p)
	w.documents["https://victim.example/sector.json"] = `["https://victim.example/cb","http://127.0.0.1/cb","com.example.app:/cb"]`
	const (
		device = `"subject_type":"pairwise","grant_types":["urn:ietf:params:oauth:grant-type:device_code"]`
		both   = `"subject_type":"pairwise","grant_types":["authorization_code","urn:ietf:params:oauth:grant-type:device_code"],"redirect_uris":["https://victim.example/cb"]`
		native = `"subject_type":"pairwise","application_type":"native"`
		sector = `,"sector_identifier_uri":"https://victim.example/sector.json"`
		keys   = `,"jwks_uri":"https://victim.example/jwks"`
		signs  = `,"token_endpoint_auth_method":"private_key_jwt"`
	)
	for _, row := range []struct {
		name, document string
		joins          bool
	}{
		{"a device that names somebody's keys", device + keys, false},
		{"a device that names somebody's document", device + sector, false},
		{"a device with somebody's redirect URI", both, false},
		{"a device that somebody's document lists", both + sector, false},
		{"a device with keys elsewhere", both + sector + signs + `,"jwks_uri":"https://app.example.org/jwks"`, false},
		{"whatever listens on the machine", native + `,"redirect_uris":["http://127.0.0.1/cb"]`, false},
		{"whatever listens there and is listed", native + `,"redirect_uris":["http://127.0.0.1/cb"]` + sector, false},
		{"a scheme that anybody can claim", native + `,"redirect_uris":["com.example.app:/cb"]` + sector, false},
		{"a device that signs with the sector's keys", device + keys + signs, true},
		{"one that is answered at the sector too", both + sector + keys + signs, true},
		{"an application that is answered at the sector", native + `,"redirect_uris":["https://victim.example/cb"]` + sector, true},
	} {
		got := w.do("POST", "/register", "{"+row.document+"}")
		if row.joins != (got.status == http.StatusCreated) {
			t.Errorf("%s: %d %s", row.name, got.status, got.body)
		}
		if row.joins && got.status == http.StatusCreated && w.client(got).Sector != "victim.example" {
			t.Errorf("%s: sector %q", row.name, w.client(got).Sector)
		}
	}
	made := w.register(`{"redirect_uris":["https://victim.example/cb"],"subject_type":"pairwise"}`)
	wantRefused(t, w.manage("PUT", made, `{"client_id":"`+made.text("client_id")+`",`+both+`}`), http.StatusBadRequest, oauth.InvalidClientMetadata)
}
