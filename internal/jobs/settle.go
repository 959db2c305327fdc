package jobs

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"generalbackend/internal/domain"
)

// outcome is how an attempt ended, for logs and metrics.
type outcome string

const (
	outcomeDone      outcome = "done"
	outcomeRetry     outcome = "retry"
	outcomeReleased  outcome = "released"
	outcomeFailed    outcome = "failed"
	outcomeCancelled outcome = "cancelled"
	outcomeLost      outcome = "lost"
)

// settle writes down how an attempt ended. While Postgres is away it tries
// again for as long as the lease could hold; after that the reconciler decides.
func (r *Runner) settle(a *attempt, err error) outcome {
	ctx, done := context.WithTimeout(context.WithoutCancel(a.ctx), 2*r.timing.Lease)
	defer done()
	var result outcome
	policy := backoff.NewExponentialBackOff(backoff.WithInitialInterval(200*time.Millisecond), backoff.WithMaxInterval(2*time.Second))
	settleErr := backoff.Retry(func() (err2 error) {
		result, err2 = r.end(ctx, a, err)
		return err2
	}, backoff.WithContext(policy, ctx))
	if settleErr != nil {
		r.log.Error("could not settle an attempt; its lease will expire", "job_id", a.task.Job.ID, "error", settleErr)
		return outcomeLost
	}
	r.report(a, err, result)
	return result
}

// end chooses the transition for the error an attempt ended with.
func (r *Runner) end(ctx context.Context, a *attempt, err error) (outcome, error) {
	lease, cause := a.task.Lease, context.Cause(a.ctx)
	switch {
	case err == nil:
		return outcomeDone, nil
	case errors.Is(cause, errCancelRequested):
		owned, err := r.store.CancelAttempt(ctx, lease)
		if owned || err != nil {
			return outcomeCancelled, err
		}
		// A signal without a request behind it: the job goes on elsewhere.
		_, err = r.store.Retry(ctx, lease, nil, shortestDelay, true)
		return outcomeReleased, err
	case errors.Is(cause, errStopping):
		_, err := r.store.Retry(ctx, lease, nil, shortestDelay, true)
		return outcomeReleased, err
	case errors.Is(cause, errLeaseLost), errors.Is(err, domain.ErrLeaseLost):
		// Lost to another worker, to a cancel, or to a deletion; the first two
		// are settled elsewhere and the last leaves nothing to settle.
		_, err := r.store.CancelAttempt(ctx, lease)
		return outcomeLost, err
	}
	return r.fail(ctx, a, err)
}

// fail retries or fails a job for its own error.
func (r *Runner) fail(ctx context.Context, a *attempt, err error) (outcome, error) {
	e := domain.AsError(err)
	job, cause := a.task.Job, domain.JobError{Code: e.Code, Detail: e.Message, Hint: e.Hint}
	isFree := free(e.Code) && time.Since(job.CreatedAt) < cmp.Or(r.stage.MaxWait, r.timing.MaxWait)
	retry := isFree || (e.Code.Retryable() && job.Attempt < job.MaxAttempts)
	if retry {
		owned, err := r.store.Retry(ctx, a.task.Lease, &cause, retryDelay(job.Attempt, a.task.Lease.Fence, e), isFree)
		return lostUnless(owned, outcomeRetry), err
	}
	owned, err := r.store.Fail(ctx, a.task.Lease, cause)
	if err == nil && !owned { // a cancel came between
		_, err = r.store.CancelAttempt(ctx, a.task.Lease)
	}
	return lostUnless(owned, outcomeFailed), err
}

func lostUnless(owned bool, o outcome) outcome {
	if owned {
		return o
	}
	return outcomeLost
}

func (r *Runner) report(a *attempt, err error, result outcome) {
	log := r.log.With("job_id", a.task.Job.ID, "user_id", a.task.Job.UserID, "attempt", a.task.Job.Attempt, "outcome", string(result))
	if err != nil && result != outcomeCancelled && result != outcomeReleased {
		log.Warn("attempt ended", "error", err)
		return
	}
	log.Debug("attempt ended")
}
