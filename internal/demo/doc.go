// Package demo is what `broker demo` runs: the whole of Gatehouse on one
// machine, with nothing set up and nothing left behind.
//
// It starts the four emulated vendors of connectortest/fake, a broker that is
// configured for them, and two sample applications: Wiki, which asks for consent
// and admits everybody, and Payroll, which asks nothing and admits some groups
// only. The applications are ordinary OpenID Connect relying parties on go-oidc
// and x/oauth2; they know the broker by its discovery document alone and import
// nothing of it, so what they verify is what any application can verify.
//
// Everything listens on loopback and lives in memory or in one temporary
// directory, which is removed at the end. The broker itself is started by the
// caller ([Options.StartBroker]), as only cmd/broker names vendors and engines.
package demo
