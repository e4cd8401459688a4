package server

import (
	"context"
	"slices"

	"gatehouse/broker"
	"gatehouse/broker/oauth"
	"gatehouse/broker/registration"
)

// register opens the runtime to clients that register themselves, where it is
// configured so. Without the section those of before are not found, and are there
// again when it comes back.
func (s *Server) register(rt *runtime) error {
	rt.lookup = rt.clients
	if !rt.config.Registration.Enabled() {
		return nil
	}
	policy, err := rt.config.RegistrationPolicy()
	if err != nil {
		return err
	}
	if len(policy.Connectors) == 0 {
		policy.Connectors = connectorIDs(rt.config)
	}
	rt.registered = &registration.Clients{Configured: rt.clients, Registrations: s.store, Policy: registration.Policy(policy), Log: s.log, Now: s.now}
	rt.lookup = rt.registered
	return nil
}

// registrar serves /register.
func (s *Server) registrar(rt *runtime) *registration.Endpoint {
	limits := rt.config.Limits.Registration
	return &registration.Endpoint{Issuer: rt.config.Issuer, Policy: rt.registered.Policy, Registrations: s.store,
		Taken: func(id string) bool { _, err := rt.clients.Client(context.Background(), id); return err == nil },
		Fetch: rt.fetch, Audit: s.audit, PerAddress: s.limiter(limits.PerAddress), PerToken: s.limiter(limits.PerToken), Now: s.now}
}

// used notes the use of clients that registered themselves.
func (rt *runtime) used(ctx context.Context, client *broker.Client) {
	if rt.registered != nil {
		rt.registered.Used(ctx, client)
	}
}

// pairwise reports whether some client has subjects of its own, or may register for
// them.
func (rt *runtime) pairwise() bool {
	for _, client := range rt.clients {
		if client.Sector != "" {
			return true
		}
	}
	return rt.registered != nil
}

// devices reports whether some client has the device grant, or may register for it.
func (rt *runtime) devices() bool {
	return rt.clients.use(oauth.GrantTypeDeviceCode) ||
		rt.registered != nil && slices.Contains(rt.registered.Policy.GrantTypes, oauth.GrantTypeDeviceCode)
}
