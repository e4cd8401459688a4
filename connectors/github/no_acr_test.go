package github_test

import "testing"

// A level that is demanded can be had nowhere here: nobody is sent to find out.
func TestNoLevelCanBeProven(t *testing.T) {
	t.Parallel()
	if d := subject().Open(t, nil).Connector.Describe(); !d.NoACR || len(d.Levels) != 0 {
		t.Errorf("described as %+v", d)
	}
}
