package web

import (
	"net/http"
	"testing"
)

// sink is a response that costs nothing, so that a benchmark measures the page.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

// BenchmarkPage renders each page: 30 µs is what one should cost at most.
func BenchmarkPage(b *testing.B) {
	p := newPages(b)
	for name, write := range everyPage() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := sink{http.Header{}}
			for b.Loop() {
				write(p, w)
			}
		})
	}
}
