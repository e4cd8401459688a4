package github

import "sync"

// pins remember which number a configured name stood for when it was first seen,
// for as long as the process lives: a name that has another number now was given up
// and registered by somebody else (ATTACKS UP-19). They are as many as the rules.
// The zero value is ready, and safe for concurrent use.
type pins struct {
	mu      sync.Mutex
	numbers map[string]int64
	told    map[string]bool
	seen    map[int64]bool
}

// number returns what a name stands for, zero while it was not seen.
func (p *pins) number(name string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.numbers[name]
}

// pin notes what a name stands for unless that is known, and returns what it has
// stood for from the first.
func (p *pins) pin(name string, number int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.numbers == nil {
		p.numbers = map[string]int64{}
	}
	if p.numbers[name] == 0 {
		p.numbers[name] = number
	}
	return p.numbers[name]
}

// first reports whether something is told for the first time.
func (p *pins) first(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told == nil {
		p.told = map[string]bool{}
	}
	again := p.told[what]
	p.told[what] = true
	return !again
}

// sight notes that an organisation of the rules shows itself to our application, and
// sighted reports whether one does.
func (p *pins) sight(organization int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[int64]bool{}
	}
	p.seen[organization] = true
}

func (p *pins) sighted(organization int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[organization]
}
