// Package web holds the pages that people see: the choice of an identity
// provider, consent, errors, signing out, and the page that carries an answer
// to an application by form post.
//
// Each page is a method of [Pages] that takes a struct and writes one complete
// response. Its law:
//
//   - Whatever comes from outside (names of applications and people, texts of
//     an upstream) is stripped of control characters, cut to a length, and
//     escaped by html/template; nothing is ever declared safe.
//   - A page works without JavaScript, loads nothing from another host, and
//     allows only the style and script its own template holds, by hash.
//   - A page is rendered to memory first, so that it arrives whole or not at all.
//
// A theme replaces templates and the stylesheet by file name; see [New].
package web
