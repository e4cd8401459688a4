package server

import (
	"net/http"

	"gatehouse/broker/clientauth"
	"gatehouse/broker/device"
	"gatehouse/broker/discovery"
	"gatehouse/broker/flow"
	"gatehouse/broker/mint"
)

// mountDevices adds what devices call, and the pages where people decide about them.
func (s *Server) mountDevices(mux *http.ServeMux, rt *runtime, desk *flow.Desk, protect *http.CrossOriginProtection, minter *mint.Minter, callers *clientauth.Authenticator) {
	c, limits, resources := rt.config, rt.config.Limits, rt.config.BrokerResources()
	start := &device.Start{Reception: s.reception(limits.Token, callers), Devices: s.store, Issuer: c.Issuer, Lifetime: c.Lifetimes.DeviceCode,
		Resources: resources, Supported: append(discovery.Scopes(), resources.Scopes()...), NewCode: minter.NewDeviceCode,
		// Each is to be typed at /device: more than one address may type there it need not start.
		PerAddress: s.limiter(limits.Device.PerAddress)}
	start.Mount(mux)
	pages := &device.Endpoint{Desk: desk, Clients: rt.lookup, Devices: s.store, Protect: protect, Lifetime: c.Lifetimes.DeviceCode, Now: s.now,
		PerAddress: s.limiter(limits.Device.PerAddress), PerAccount: s.limiter(limits.Device.PerAccount), Anonymous: s.limiter(limits.Device.Anonymous)}
	pages.Mount(mux)
}
