package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"gatehouse/broker"
)

const (
	// maxBatch bounds how many verbs share a commit, and so how long the first of them waits for the last.
	maxBatch = 128
	// maxQueue is how many may wait for the next batch before submitting blocks.
	maxQueue = 4 * maxBatch
)

var errClosed = errors.New("bolt: store is closed")

// job is a verb on its way through the writer.
type job struct {
	ctx   context.Context
	run   func(*txn) error
	state atomic.Uint32
	err   error
	done  chan struct{}
}

// A job's state moves once: the writer starts it, or the caller withdraws it.
const (
	jobQueued uint32 = iota
	jobStarted
	jobWithdrawn
)

func (j *job) start() bool {
	if j.state.Load() == jobStarted { // run again after another was dropped from its batch
		return true
	}
	if err := j.ctx.Err(); err != nil {
		j.err = err
		return false
	}
	return j.state.CompareAndSwap(jobQueued, jobStarted)
}

func (j *job) answer(err error) {
	j.err = err
	close(j.done)
}

// update hands a verb to the writer and waits for its answer, which comes after the commit. A context that ends before
// the verb has started withdraws it; one that has started is answered whatever happens.
func (s *Store) update(ctx context.Context, run func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, run: run, done: make(chan struct{})}
	if err := s.submit(j); err != nil {
		return err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobQueued, jobWithdrawn) {
			return ctx.Err()
		}
		<-j.done
	}
	return j.err
}

// submit holds the lock that Close takes before it closes the queue.
func (s *Store) submit(j *job) error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return errClosed
	}
	select {
	case s.queue <- j:
		return nil
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
}

// write is the writer goroutine: the only one that begins write transactions.
func (s *Store) write() {
	defer close(s.idle)
	debug.SetPanicOnFault(true)
	if err := s.loadOnce(); err != nil {
		_ = s.fail(err)
	}
	batch := make([]*job, 0, maxBatch)
	for first := range s.queue {
		batch = s.drain(append(batch[:0], first))
		for jobs := batch; len(jobs) > 0; {
			jobs = s.attempt(jobs)
		}
		clear(batch)
	}
}

// drain adds what has queued meanwhile; it waits for nobody.
func (s *Store) drain(batch []*job) []*job {
	for len(batch) < maxBatch {
		select {
		case j, ok := <-s.queue:
			if !ok {
				return batch
			}
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// attempt runs the jobs in one transaction, commits it and answers them. If one of them fails in the middle, everything
// is rolled back, that one is answered and the others are returned to be run again.
func (s *Store) attempt(jobs []*job) []*job {
	if err := s.Ready(); err != nil {
		return answerAll(jobs, err)
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return answerAll(jobs, s.fail(err))
	}
	s.space.reset()
	t := &txn{view: view{tx: tx}, cursors: s.cursors, space: &s.space, once: &s.once}
	started := jobs[:0]
	for i, j := range jobs {
		if !j.start() {
			close(j.done)
			continue
		}
		if fault := s.try(t, j); fault != nil {
			s.log.Error("store verb failed and was taken out of its batch", "error", fault)
			s.rollback(tx)
			j.answer(fault)
			return append(started, jobs[i+1:]...)
		}
		started = append(started, j)
	}
	if t.writes == 0 {
		s.rollback(tx)
	} else if err := s.commit(tx); err != nil {
		return answerAll(started, s.fail(err))
	} else {
		s.once.commit()
		s.commits.Add(1)
	}
	s.cursors = t.cursors // also when the sweeper only passed records
	for _, j := range started {
		close(j.done)
	}
	return nil
}

// rollback ends a transaction that shall leave nothing. bbolt reports only that it was over already.
func (s *Store) rollback(tx *bbolt.Tx) {
	_ = tx.Rollback()
	s.once.rollback()
}

func answerAll(jobs []*job, err error) []*job {
	for _, j := range jobs {
		j.answer(err)
	}
	return nil
}

// try runs one verb. It returns an error if the transaction must not go on: a panic, or a refusal that has written.
func (s *Store) try(t *txn, j *job) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if _, ours := p.(fault); !ours { // a mistake somewhere: say where
			s.log.Error("store verb panicked", "panic", p, "stack", string(debug.Stack()))
		}
		err = faultOf(p)
	}()
	before := t.writes
	j.err = j.run(t)
	// The two refusals that revoke are the only ones that change anything (invariant I12).
	if t.writes != before && j.err != nil && !errors.Is(j.err, broker.ErrCodeReplayed) && !errors.Is(j.err, broker.ErrTokenReused) {
		return fmt.Errorf("bolt: verb wrote and then refused: %w", j.err)
	}
	return nil
}

// commit makes the transaction durable. bbolt may panic while it arranges pages of a damaged file.
func (s *Store) commit(tx *bbolt.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = faultOf(p)
			s.stuck = true // bbolt's writer lock may still be held
		}
	}()
	return s.commitTx(tx)
}

// fail makes the store read-only for good. What the failed commit left on disk is unknown, so nobody may build on it:
// the operator restarts, and the file is read as the disk has it.
func (s *Store) fail(cause error) error {
	err := fmt.Errorf("%w: %w", broker.ErrReadOnly, cause)
	if s.failure.CompareAndSwap(nil, &err) {
		s.log.Error("store is read-only after a failed write; check the disk and restart", "error", cause)
	}
	return err
}
