// Package adminsock is how the commands of the command line speak to a running broker: HTTP with JSON over a Unix
// socket beside the database.
//
//	GET  /keys          {"keys": [keys.Info…]}
//	POST /keys/rotate   {"emergency": false} -> {"keys": […]}, as they are afterwards
//
// An error is {"error": "…"} with a status of 400 or more.
//
// Whoever can open the socket is the administrator; there is no other authentication. The socket is therefore 0600
// from the first moment that it can be reached by its name: it is made in a directory that only its owner may enter,
// and renamed from there.
//
// A broker that was killed leaves its socket behind. Nobody listens on it, so the next broker replaces it. One that
// somebody listens on is never replaced.
package adminsock
