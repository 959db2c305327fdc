package api

import (
	"context"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// outpouring is an answer on its way from the model to one client.
type outpouring struct {
	pieces chan string
	ended  chan struct{} // closed when resp and err are final
	resp   llm.CompleteResponse
	err    error
}

// pour asks the model; a client who does not read holds it back.
func pour(ctx context.Context, provider llm.Provider, req llm.CompleteRequest) *outpouring {
	o := &outpouring{pieces: make(chan string), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		o.resp, o.err = provider.Stream(ctx, req, func(piece string) error {
			select {
			case o.pieces <- piece:
				return nil
			case <-ctx.Done():
				return llm.Interrupted(ctx)
			}
		})
	}()
	return o
}

// streamGenerated waits for the first piece, so that what fails before it is
// answered with its status, and then streams. The model is stopped when the
// client hangs up.
func (s *server) streamGenerated(ctx context.Context, cancel context.CancelFunc, provider llm.Provider, req llm.CompleteRequest) (*generated, error) {
	o := pour(ctx, provider, req)
	first, begun := "", false
	select {
	case first = <-o.pieces:
		begun = true
	case <-o.ended:
		if o.err != nil {
			cancel()
			return nil, o.err
		}
	}
	stream := s.streaming(func(client context.Context, out *eventStream) error {
		defer cancel()
		defer context.AfterFunc(client, cancel)()
		if begun {
			if err := out.send("", "token", GeneratedPiece{first}); err != nil {
				return err
			}
		}
		return s.sendGenerated(client, out, o)
	})
	return &generated{Body: stream.Body}, nil
}

func (s *server) sendGenerated(ctx context.Context, out *eventStream, o *outpouring) error {
	beat := time.NewTicker(out.heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case piece := <-o.pieces:
			err = out.send("", "token", GeneratedPiece{piece})
		case <-o.ended:
			if o.err == nil {
				return out.send("", "done", toGenerated(o.resp))
			}
			return s.sendProblem(ctx, out, o.err)
		case <-out.stopping:
			return s.sendProblem(ctx, out, domain.Errorf(domain.CodeUnavailable, "The server is being restarted. Ask again."))
		case <-beat.C:
			if err = out.alive(ctx); err == nil {
				err = out.comment("heartbeat")
			}
		}
		if err != nil {
			return err
		}
	}
}

// sendProblem is how an answer ends that could not be finished.
func (s *server) sendProblem(ctx context.Context, out *eventStream, err error) error {
	p := s.toProblem(ctx, err)
	p.RequestID = requestID(ctx)
	return out.send("", "error", p)
}
