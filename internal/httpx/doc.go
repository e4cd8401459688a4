// Package httpx is the HTTP plumbing every endpoint stands on: who asked and
// under which number (Request), limits on what a request may carry, the headers
// every answer has, and one place that turns a panic into a page and a log line.
//
// It knows no protocol. What an error looks like to whoever gets it is decided
// by the endpoint's own delivery channel.
package httpx
