// Package server puts the house together: it mounts the endpoints, orders the
// middleware, runs the background loops and swaps configurations.
//
// Two things are kept apart. The Server is the process: store, key ring,
// metrics, listeners. A runtime is made from one loaded configuration, is never
// changed, and is swapped as a whole on reload: a request that has begun ends
// under the configuration it began under.
//
// Background work is plain functions elsewhere; only their loops live here.
package server
