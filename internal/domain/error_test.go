package domain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"generalbackend/internal/domain"
)

func TestUnknownErrorsShowNothingOfThemselves(t *testing.T) {
	t.Parallel()
	secret := errors.New("password=hunter2")
	e := domain.AsError(fmt.Errorf("connect: %w", secret))
	if e.Code != domain.CodeInternal || strings.Contains(e.Message, "hunter2") {
		t.Errorf("%s: %s", e.Code, e.Message)
	}
	if !errors.Is(e, secret) {
		t.Error("the cause is lost for the logs")
	}
}

func TestKnownErrorsKeepTheirCode(t *testing.T) {
	t.Parallel()
	known := domain.Errorf(domain.CodeNotReady, "Wait for %s.", "it").WithHint("Soon.")
	for name, err := range map[string]error{"itself": known, "wrapped": fmt.Errorf("work: %w", known)} {
		e := domain.AsError(err)
		if domain.CodeOf(err) != domain.CodeNotReady || e.Message != "Wait for it." || e.Hint != "Soon." {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if domain.CodeOf(nil) != "" || domain.CodeOf(errors.New("x")) != domain.CodeInternal {
		t.Error("nil and unknown errors have the wrong code")
	}
}

func TestCopiesLeaveTheOriginalAlone(t *testing.T) {
	t.Parallel()
	original := domain.Errorf(domain.CodeInvalid, "No.")
	if changed := original.WithCause(errors.New("x")).WithHint("y"); changed.Err == nil || changed.Hint != "y" {
		t.Errorf("%+v", changed)
	}
	if original.Err != nil || original.Hint != "" {
		t.Errorf("%+v", original)
	}
}

func TestWhatIsFreeMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	cases := map[domain.Code]struct{ retryable, free bool }{
		domain.CodeModelOverloaded:   {true, true},
		domain.CodeModelRateLimited:  {true, true},
		domain.CodeModelUnavailable:  {true, true},
		domain.CodeLLMRateLimited:    {true, true},
		domain.CodeBudgetExceeded:    {false, false},
		domain.CodeLocalOnly:         {false, false},
		domain.CodeModelMalformed:    {true, false},
		domain.CodeModelTimeout:      {true, false},
		domain.CodeInternal:          {true, false},
		domain.CodeModelNotFound:     {false, false},
		domain.CodeDocumentMalformed: {false, false},
		domain.CodeNoTextFound:       {false, false},
		domain.CodeTimedOut:          {false, false},
	}
	for code, want := range cases {
		if code.Retryable() != want.retryable || code.Free() != want.free {
			t.Errorf("%s: retryable %v, free %v", code, code.Retryable(), code.Free())
		}
	}
}

func TestTerminalStates(t *testing.T) {
	t.Parallel()
	for state, want := range map[domain.State]bool{
		domain.StateQueued: false, domain.StateDispatched: false, domain.StateRunning: false,
		domain.StateSucceeded: true, domain.StateFailed: true, domain.StateCancelled: true,
	} {
		if state.Terminal() != want {
			t.Errorf("%s: terminal %v", state, state.Terminal())
		}
	}
}
