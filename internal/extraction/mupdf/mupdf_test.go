package mupdf_test

import (
	"errors"
	"testing"

	"generalbackend/internal/extraction/mupdf"
)

// TestOpen also shows that the declarations of the binding are those of the
// linked library: with another version no document opens at all.
func TestOpen(t *testing.T) {
	const page = `%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Count 1/Kids[3 0 R]>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>> endobj
4 0 obj <</Length 42>> stream
BT /F 12 Tf 20 100 Td (Plain words) Tj ET 
endstream endobj
5 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj
trailer <</Root 1 0 R>>
`
	doc, err := mupdf.Open([]byte(page), ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	if n, err := doc.Pages(); n != 1 || err != nil {
		t.Errorf("%d pages, %v", n, err)
	}
	if text, damaged, err := doc.Text(0); text != "Plain words\n\n" || damaged || err != nil {
		t.Errorf("text %q, damaged %v, %v", text, damaged, err)
	}
	if images, drawn, err := doc.Marks(0); images != 0 || !drawn || err != nil {
		t.Errorf("images %v, drawn %v, %v", images, drawn, err)
	}
	if _, _, err := doc.Text(7); !errors.Is(err, mupdf.ErrMalformed) {
		t.Errorf("a page that is not there: %v", err)
	}
	if doc.Metadata("info:Title") != "" || len(doc.Outline(10)) != 0 {
		t.Error("metadata out of nothing")
	}
}

func TestOpenFailures(t *testing.T) {
	for _, data := range []string{"", "no pdf"} {
		if _, err := mupdf.Open([]byte(data), ".pdf"); !errors.Is(err, mupdf.ErrMalformed) {
			t.Errorf("%q: %v", data, err)
		}
	}
}
