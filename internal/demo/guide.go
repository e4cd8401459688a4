package demo

// guide is what the page "What to try" shows.
type guide struct {
	Issuer    string
	Discovery string
	Wiki      string // paths of the applications
	Payroll   string
	Vendors   []vendorView
	// Config is the configuration file that the broker runs with.
	Config string
}

// vendorView is one emulated upstream provider.
type vendorView struct {
	ID, Name, Mark string
	// Shows says what this vendor is there to show.
	Shows string
	// SessionURL is the page on which to sign out of the vendor.
	SessionURL string
	People     []personRow
}

// Initial is the sign shown beside the name.
func (v vendorView) Initial() string { return v.Name[:1] }

// personRow is one of the sample people.
type personRow struct{ Name, Account, Note string }
