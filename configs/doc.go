// Package configs reads the configuration file: one YAML document, strictly.
//
// Its law:
//
//   - Everything wrong is said at once, each with file, line, path and what to do about it. Only a syntax error hides
//     the rest. A problem in one entry does not hide those of its neighbours.
//   - An unknown key is an error that names the nearest known one; a key written twice is an error; nothing is converted
//     silently. Anchors, aliases, merges and tags are refused, so that the file says what it means where it says it.
//   - What is absent has the strict or the documented value. A list that is present and empty is never taken for "all".
//   - A secret is env:NAME, file:PATH or a literal. It is checked when the file is loaded and read when it is needed;
//     no error, log line or %v shows it.
//   - [Load] is a function of the file, the environment and the files it names. It keeps nothing, so a running broker
//     loads a second configuration beside the first and swaps.
//
// Each section is a struct in a file of its own with a Validate that returns every problem in it. The files *.yaml beside
// them are the reference manual: a test loads each and fails when a key is not described in broker.example.yaml.
package configs
