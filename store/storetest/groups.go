package storetest

import (
	"reflect"
	"testing"
	"time"

	"gatehouse/broker"
)

// groups are the rules about groups that could not be read.
func groups() []rule {
	return []rule{
		{"a sign-in that could not read groups keeps those of the last, and the decider sees them", keepsGroups},
		{"a sign-in that read no groups has none", readsNone},
		{"who was in no group stays in none", keepsNoGroups},
		{"somebody unknown whose groups cannot be read is refused and nothing changes", groupsUnknown},
	}
}

// unread is a person whose groups could not be read.
func (f *fixture) unread(subject string) broker.Identity {
	who := f.person(google, subject)
	who.Profile.Groups, who.KeepGroups = nil, true
	return who
}

func (f *fixture) profileOf(v visit) broker.LinkedIdentity {
	f.t.Helper()
	_, linked, err := f.Account(f.t.Context(), v.Account.ID)
	if err != nil || len(linked) != 1 {
		f.t.Fatalf("identities %+v, error %v", linked, err)
	}
	return linked[0]
}

func keepsGroups(t *testing.T, f *fixture) {
	first := f.signedIn("ada", wiki, false)
	f.pass(time.Minute)
	who := f.unread("ada")
	who.Profile.Email = "ada@new.example"
	who.Profile.Groups = []string{"made up"} // whatever is there was not read
	wanted := who.Profile
	wanted.Groups = []string{"staff", "ops"}
	out := f.complete(f.login(who, wiki, false), func(st broker.State) broker.Decision {
		if !reflect.DeepEqual(st.Identity.Profile, wanted) {
			t.Errorf("the decider sees %+v, want %+v", st.Identity.Profile, wanted)
		}
		return broker.Decision{Verdict: broker.Issue}
	})
	if got := f.profileOf(first); !reflect.DeepEqual(got.Profile, wanted) || !reflect.DeepEqual(out.Identity.Profile, wanted) {
		t.Errorf("profile %+v, outcome %+v, want %+v", got.Profile, out.Identity.Profile, wanted)
	}
	if st := f.grantOf(out.Grant.ID); !reflect.DeepEqual(st.Identity.Profile.Groups, wanted.Groups) {
		t.Errorf("the grant rests on groups %q", st.Identity.Profile.Groups)
	}
}

func readsNone(t *testing.T, f *fixture) {
	first := f.signedIn("ada", wiki, false)
	who := f.person(google, "ada")
	who.Profile.Groups = nil
	f.complete(f.login(who, wiki, false), issue)
	if got := f.profileOf(first).Profile.Groups; len(got) != 0 {
		t.Errorf("groups %q", got)
	}
}

func keepsNoGroups(t *testing.T, f *fixture) {
	who := f.person(google, "ada")
	who.Profile.Groups = nil
	first := visit{Outcome: f.complete(f.login(who, wiki, false), issue)}
	who.KeepGroups = true
	who.Profile.Groups = []string{"made up"}
	f.complete(f.login(who, wiki, false), issue)
	if got := f.profileOf(first).Profile.Groups; len(got) != 0 {
		t.Errorf("groups %q", got)
	}
}

func groupsUnknown(t *testing.T, f *fixture) {
	f.signedIn("grace", wiki, false)
	who := f.unread("ada")
	l := f.login(who, wiki, true)
	l.Credential = f.handedOut(false)
	f.accounts = append(f.accounts, who.Key.ProposedAccountID())
	f.identities = append(f.identities, who.Key.Digest())
	f.refs = append(f.refs, ref(l))
	f.grants = append(f.grants, l.Issue.Grant.ID)
	f.unchanged(t, func() {
		_, err := f.CompleteLogin(t.Context(), l, issue)
		want(t, "groups that nobody knows", err, broker.ErrGroupsUnknown)
	})
	l.Identity = f.person(google, "ada") // the same flow, once they can be read
	f.complete(l, issue)
}
