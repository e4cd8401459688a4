package fake

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"maps"
	"net/http"
)

// keySet is the published key set, with what the script wants wrong about it.
// extra keys come last.
func (p *Provider) keySet(extra ...map[string]any) ([]map[string]any, error) {
	var set []map[string]any
	for _, place := range p.keys.places() {
		doc, err := p.keys.jwk(place)
		if err != nil {
			return nil, err
		}
		set = append(set, doc)
	}
	return p.spoilKeys(append(set, extra...))
}

func (p *Provider) spoilKeys(set []map[string]any) ([]map[string]any, error) {
	switch {
	case p.script.hit(KeysEmpty):
		return []map[string]any{}, nil
	case p.script.hit(KeysDuplicateKid):
		foreign, err := p.keys.pool.key(p.keys.algorithm, foreignKey)
		if err != nil {
			return nil, err
		}
		doc, err := publicJWK(foreign.Public())
		if err != nil {
			return nil, err
		}
		doc["use"], doc["alg"], doc["kid"] = "sig", p.keys.algorithm, set[0]["kid"]
		set = append([]map[string]any{doc}, set...)
	case p.script.hit(KeysPrivateMembers):
		key, err := p.keys.pool.key(p.keys.algorithm, p.keys.current())
		if err != nil {
			return nil, err
		}
		set[0] = maps.Clone(set[0])
		switch key := key.(type) {
		case *rsa.PrivateKey:
			set[0]["d"] = b64(key.D.Bytes())
		case *ecdsa.PrivateKey:
			d, err := key.Bytes()
			if err != nil {
				return nil, err
			}
			set[0]["d"] = b64(d)
		}
	case p.script.hit(KeysSymmetric):
		set[0] = map[string]any{"kty": "oct", "k": b64([]byte("a key that everybody can read 32")), "alg": "HS256", "use": "sig", "kid": set[0]["kid"]}
	case p.script.hit(KeysForEncryption):
		set[0]["use"] = "enc"
	}
	return set, nil
}

// serveKeys answers a key set; cache is the vendor's Cache-Control.
func (p *Provider) serveKeys(w http.ResponseWriter, cache string, extra ...map[string]any) {
	set, err := p.keySet(extra...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.serveKeySet(w, cache, set)
}

func (p *Provider) serveKeySet(w http.ResponseWriter, cache string, set []map[string]any) {
	w.Header().Set("Cache-Control", cache)
	list := make([]any, len(set))
	for i, key := range set {
		list[i] = key
	}
	p.document(w, Keys, map[string]any{"keys": list})
}
