package broker

// Encryption is how something is encrypted for whom it is for (RFC 7516): the alg
// of the key and the enc of the content (RFC 7518 §4.1, §5.1). The zero value is
// not at all.
type Encryption struct {
	Alg, Enc string
}

// IsZero reports whether nothing is encrypted.
func (e Encryption) IsZero() bool { return e == Encryption{} }
