package bolt

import "gatehouse/broker"

func encodeDevice(e *encoder, a *broker.DeviceAuthorization) {
	e.digest(a.UserCode)
	e.string(a.ClientID)
	e.strings(a.Scopes)
	e.strings(a.Resources)
	e.time(a.StartedAt)
	e.time(a.Expires)
	e.string(a.Address)
	e.string(a.Agent)
	e.uint(uint64(a.Decision))
	e.string(a.GrantID)
	e.bool(a.Spent)
}

func decodeDevice(d *decoder, a *broker.DeviceAuthorization) {
	a.UserCode = d.digest()
	a.ClientID = d.string()
	a.Scopes = d.strings()
	a.Resources = d.strings()
	a.StartedAt = d.time()
	a.Expires = d.time()
	a.Address = d.string()
	a.Agent = d.string()
	decision := d.uint()
	// An unknown decision is damage, as an unknown degree of trust is: it must never become an approval.
	if decision > uint64(broker.DeviceDenied) {
		d.fail()
		return
	}
	a.Decision = broker.DeviceDecision(decision)
	a.GrantID = d.string()
	a.Spent = d.bool()
}

// The index from a user code to its device.

func encodeExpiringKey(e *encoder, k *broker.ExpiringKey) { e.b = append(e.b, k[:]...) }

func decodeExpiringKey(d *decoder, k *broker.ExpiringKey) { copy(k[:], d.take(uint64(len(k)))) }
