// Package flow is what every interactive endpoint shares: the request that is
// under way, sealed in the browser, and the one decision about what happens to
// it next.
//
// A Flow is never stored: it travels as a sealed cookie of the browser that
// began it, so that an anonymous request writes nothing durable and a flow
// cannot be continued in another browser (invariant I4). Its Continuation says
// what it is for, as a closed sum.
//
// The law: steps never route to one another. An endpoint does its own step and
// hands the flow back; Next alone decides whether the person is asked to sign
// in, to consent, or gets an answer:
//
//	/authorize            parse and check a request, then Continue
//	/login, /login/{c}    choose an upstream, go there
//	/callback/{c}         come back, then decide in the commit that signs in
//	/consent              ask, then decide in the commit that remembers
//	/device               find what a user code is of; ask, then decide likewise
//
// Every decision that issues something is taken inside the store's transaction
// on current records, and by the same Next.
package flow
