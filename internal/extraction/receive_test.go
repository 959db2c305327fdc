package extraction

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"generalbackend/internal/domain"
)

// TestReceiveTrustsNoChild feeds the parent what a child taken over by a
// document could send.
func TestReceiveTrustsNoChild(t *testing.T) {
	t.Parallel()
	page := func(n int) domain.Page { return domain.Page{Number: n, Text: "x"} }
	tests := []struct {
		name   string
		frames []any // kind, body, kind, body ...
		want   error
		code   domain.Code
	}{
		{"all well", []any{frameTotal, 1, framePage, page(1), frameDone, summary{}}, nil, ""},
		{"nothing", nil, errSilent, ""},
		{"no end", []any{frameTotal, 1, framePage, page(1)}, errSilent, ""},
		{"page before the total", []any{framePage, page(1)}, errSilent, ""},
		{"page too many", []any{frameTotal, 1, framePage, page(1), framePage, page(2)}, errSilent, ""},
		{"page too few", []any{frameTotal, 2, framePage, page(1), frameDone, summary{}}, errSilent, ""},
		{"page out of order", []any{frameTotal, 2, framePage, page(2)}, errSilent, ""},
		{"page that is none", []any{frameTotal, 1, framePage, "x"}, errSilent, ""},
		{"too many pages", []any{frameTotal, 11}, nil, domain.CodeDocumentTooComplex},
		{"too much text", []any{frameTotal, 1, framePage, domain.Page{Number: 1, Text: strings.Repeat("x", 17<<20)}}, nil, domain.CodeDocumentTooComplex},
		{"unknown frame", []any{byte('?'), 1}, errSilent, ""},
		{"error", []any{frameError, failure{Code: domain.CodeDocumentEncrypted}}, nil, domain.CodeDocumentEncrypted},
		{"error that is none", []any{frameError, 5}, errSilent, ""},
		{"error with a foreign code", []any{frameError, failure{Code: "root"}}, nil, domain.CodeInternal},
	}
	limits := Limits{MaxPages: 10, MaxText: 1 << 10}.withDefaults()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var wire bytes.Buffer
			for i := 0; i < len(tt.frames); i += 2 {
				if err := writeJSON(&wire, tt.frames[i].(byte), tt.frames[i+1]); err != nil {
					t.Fatal(err)
				}
			}
			_, err := receive(&wire, limits, func(int, int) {})
			switch {
			case tt.want != nil && !errors.Is(err, tt.want), tt.want == nil && domain.CodeOf(err) != tt.code:
				t.Errorf("got %v, want %v %s", err, tt.want, tt.code)
			}
		})
	}
}

func TestReceiveRefusesHugeFrame(t *testing.T) {
	t.Parallel()
	head := binary.BigEndian.AppendUint32([]byte{framePage}, 0xFFFF_FFFF)
	_, err := receive(bytes.NewReader(head), DefaultLimits(), func(int, int) {})
	if domain.CodeOf(err) != domain.CodeDocumentTooComplex {
		t.Errorf("got %v", err)
	}
}

func TestConcludeLeavesNothingUnstorable(t *testing.T) {
	t.Parallel()
	var p domain.Page
	if err := json.Unmarshal([]byte(`{"Number":1,"Text":"a\u0000b\ud800","Quality":{"readable":true}}`), &p); err != nil {
		t.Fatal(err)
	}
	p.Text = storable(p.Text)
	x, err := conclude(received{pages: []domain.Page{p}, summary: summary{
		Title: "A\x00 title\xff\n", Metadata: map[string]string{"k\x00": "v\x00", "empty": "\x00"},
		Outline: []domain.OutlineEntry{{Title: "Part\x00 1"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	all := x.Title + x.Pages[0].Text + x.Outline[0].Title + x.Metadata["k"]
	if strings.ContainsRune(all, 0) || strings.ToValidUTF8(all, "") != all || len(x.Metadata) != 1 {
		t.Errorf("%q %q", all, x.Metadata)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		numbers []int
		want    string
	}{
		{[]int{3}, "Page 3"},
		{[]int{3, 4}, "Pages 3–4"},
		{[]int{1, 3, 5, 6, 7, 9}, "Pages 1, 3, 5–7, 9"},
	} {
		if got := ranges(tt.numbers); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.numbers, got, tt.want)
		}
	}
}
