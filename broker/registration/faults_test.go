package registration

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
)

// faulty is a store whose writes answer what they are told to, once for each.
type faulty struct {
	broker.Registrations
	register, replace, unregister []error
}

func next(list *[]error) error {
	if len(*list) == 0 {
		return nil
	}
	err := (*list)[0]
	*list = (*list)[1:]
	return err
}

func (f *faulty) Register(ctx context.Context, r broker.Registration, q *broker.Quota, e broker.Event) error {
	if err := next(&f.register); err != nil {
		return err
	}
	return f.Registrations.Register(ctx, r, q, e)
}

func (f *faulty) ReplaceRegistration(ctx context.Context, r broker.Registration, e broker.Event) error {
	if err := next(&f.replace); err != nil {
		return err
	}
	return f.Registrations.ReplaceRegistration(ctx, r, e)
}

func (f *faulty) Unregister(ctx context.Context, id string, e broker.Event) error {
	if err := next(&f.unregister); err != nil {
		return err
	}
	return f.Registrations.Unregister(ctx, id, e)
}

func TestAnIDThatIsTakenIsNotGivenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	store := &faulty{Registrations: w.store, register: []error{broker.ErrExists}}
	w.endpoint.Registrations = store
	w.register("") // under the second ID
	var offered []string
	w.endpoint.Taken = func(id string) bool {
		offered = append(offered, id)
		return len(offered) == 1
	}
	if made := w.register(""); len(offered) != 2 || offered[0] == offered[1] || made.text("client_id") != offered[1] {
		t.Errorf("offered %v, given %s", offered, made.text("client_id"))
	}
	w.endpoint.Taken = func(string) bool { return true }
	wantRefused(t, w.do("POST", "/register", minimal), http.StatusInternalServerError, oauth.ServerError)
}

// A fault says server_error and nothing about the store; what went away meanwhile is as
// gone as what was never there.
func TestFaultsOfTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	store := &faulty{Registrations: w.store}
	w.endpoint.Registrations = store
	made := w.register("")
	disk := errors.New("write /var/lib/broker.db: no space")
	for _, row := range []struct {
		name, method string
		list         *[]error
		answers      []error
		status       int
		code         oauth.Code
	}{
		{"a registration that cannot be stored", "POST", &store.register, []error{disk}, 500, oauth.ServerError},
		{"an update that cannot be stored", "PUT", &store.replace, []error{disk}, 500, oauth.ServerError},
		{"an update of what was deleted meanwhile", "PUT", &store.replace, []error{broker.ErrNotFound}, 401, oauth.InvalidToken},
		{"an update that others overtake twice", "PUT", &store.replace, []error{broker.ErrConflict, broker.ErrConflict}, 500, oauth.ServerError},
		{"a deletion that cannot be stored", "DELETE", &store.unregister, []error{disk}, 500, oauth.ServerError},
		{"a deletion of what was deleted meanwhile", "DELETE", &store.unregister, []error{broker.ErrNotFound}, 401, oauth.InvalidToken},
	} {
		*row.list = row.answers
		var got reply
		if row.method == "POST" {
			got = w.do("POST", "/register", minimal)
		} else {
			got = w.manage(row.method, made, replacement(made, ""))
		}
		wantRefused(t, got, row.status, row.code)
		if strings.Contains(got.body, "broker.db") || strings.Contains(got.body, "secret") {
			t.Errorf("%s: answered %s", row.name, got.body)
		}
	}
	store.replace = []error{broker.ErrConflict}
	if got := w.manage("PUT", made, replacement(made, "")); got.status != http.StatusOK {
		t.Errorf("an update that another overtook: %d %s", got.status, got.body)
	}
	w.endpoint.Registrations = &counting{Registrations: w.store, err: disk}
	wantRefused(t, w.manage("GET", made, ""), http.StatusInternalServerError, oauth.ServerError)
}

// The secret is looked at again when another update came between.
func TestAnOvertakenUpdateIsCheckedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openPolicy())
	made := w.register("")
	w.endpoint.Registrations = &overtaken{Registrations: w.store, by: func() {
		if got := w.manage("PUT", made, replacement(made, `,"token_endpoint_auth_method":"none"`)); got.status != http.StatusOK {
			t.Errorf("answered %d %s", got.status, got.body)
		}
	}}
	got := w.manage("PUT", made, replacement(made, `,"client_secret":"`+made.text("client_secret")+`"`))
	wantRefused(t, got, http.StatusBadRequest, oauth.InvalidClientMetadata)
}

// overtaken lets another update come before the first one it is given.
type overtaken struct {
	broker.Registrations
	by func()
}

func (o *overtaken) ReplaceRegistration(ctx context.Context, r broker.Registration, e broker.Event) error {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.Registrations.ReplaceRegistration(ctx, r, e)
}
