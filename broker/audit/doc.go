// Package audit tells operators what happened: in the log and as counters.
//
// The store keeps the audit trail itself: a [broker.Event] is written in the commit of the fact it records. A [Recorder]
// is told after that commit and repeats the event where people look. Refusals of callers who changed nothing are not in
// the store at all (anonymous requests write nothing durable); [Recorder.Refused] logs and counts them.
//
// What may be logged is a closed list of attributes, [broker.Event]'s identifiers and those of [Refusal]. Every value
// that may come from outside is cleaned first: control characters and invalid UTF-8 are replaced, the length is bounded
// and, in free text, whatever looks like a token is masked. There is no attribute for a form, a header or a URL.
//
// Metrics (see [NewMetrics]), with a bounded number of label values each:
//
//	gatehouse_events_total{type, connector}   facts committed to the store
//	gatehouse_refusals_total{endpoint, code}  requests refused
package audit
