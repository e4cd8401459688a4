// Package logo serves the logos of clients (RFC 7591 §2, logo_uri):
//
//	GET /logo/{client_id}
//
// A page of ours shows nothing from another host: whoever hosted a logo would hear of
// everybody who signs in. So a logo is fetched once through the guarded client of
// package outbound, and what is served is never the file that was found: its pixels
// are decoded, made small and encoded again as PNG, by which a document that is two
// formats at once, its metadata and whatever else it carries are gone. SVG is a
// document with scripts and is no logo here.
//
// The law: nobody waits for a page because of a logo, strangers have a client's logo
// fetched at most once per cool-down, and what is kept is bounded. A client without
// one, an unknown client and a logo that cannot be had answer alike.
package logo
