package content_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"generalbackend/internal/extraction/content"
)

func TestBuilder(t *testing.T) {
	t.Parallel()
	b := content.NewBuilder(1000)
	b.Break() // nothing to end yet
	b.Line()
	b.Write("One")
	b.Line()
	b.Line()
	b.Write("a\n")
	b.Cell()
	b.Write("b\n")
	b.Cell()
	b.Row()
	b.Write("x")
	b.Space()
	b.Space()
	b.Write("y")
	b.Break()
	b.Break()
	b.EndPage()
	b.Write("last")
	if diff := cmp.Diff([]string{"One\na\tb\nx y", "", "last"}, b.Pages()); diff != "" {
		t.Error(diff)
	}
	if b.Err() != nil {
		t.Error(b.Err())
	}
}

func TestBuilderBudget(t *testing.T) {
	t.Parallel()
	b := content.NewBuilder(10)
	b.Write("12345")
	b.EndPage()
	b.Write("12345")
	if b.Err() != nil || b.Len() != 10 {
		t.Errorf("within the budget: %v, %d bytes", b.Err(), b.Len())
	}
	b.Write("6")
	b.Write("")
	if !errors.Is(b.Err(), content.ErrTooLong) || b.Len() != 10 {
		t.Errorf("beyond the budget: %v, %d bytes", b.Err(), b.Len())
	}
}
