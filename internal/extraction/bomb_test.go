package extraction_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

// TestBombs reads documents that are small and want to be large. Whatever they
// end with, it is a result or a coded error, and no child grows beyond its
// limit.
func TestBombs(t *testing.T) {
	t.Parallel()
	var inner, outer bytes.Buffer
	gzipTo(t, &inner, make([]byte, 8<<20))
	gzipTo(t, &outer, inner.Bytes())
	const mib = 1 << 20
	// document is a DOCX whose body repeats a block.
	document := func(block string, times int) []byte {
		return zipped(t, file{name: "_rels/.rels", data: rels("officeDocument", "word/document.xml")},
			file{name: "word/document.xml", data: `<w:document ` + wordSpaces + `><w:body>`, block: block, times: times})
	}
	long := strings.Repeat("A", mib)
	catalog := "<< /Type /Catalog /Pages 2 0 R >>"
	page := "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>"
	tests := []struct {
		name, file string
		data       []byte
		want       []domain.Code // any of them; "" is a result
	}{
		{"zip", "bomb.docx", document("<w:p><w:r><w:t>"+long+"</w:t></w:r></w:p>", 10), []domain.Code{domain.CodeDocumentTooComplex}},
		{"zip that lies about its size", "bomb.docx", lying(t, document("<w:p><w:r><w:t>"+long+"</w:t></w:r></w:p>", 10)), []domain.Code{domain.CodeDocumentTooComplex, domain.CodeDocumentMalformed}},
		{"text", "bomb.docx", document("<w:p><w:r><w:t>"+long+"</w:t></w:r></w:p>", 6), []domain.Code{domain.CodeDocumentTooComplex}},
		{"markup", "bomb.docx", document(strings.Repeat("<w:p/>", 1000), 1000), []domain.Code{domain.CodeNoTextFound, domain.CodeDocumentTooComplex}},
		{"nested markup", "bomb.docx", document(strings.Repeat("<w:p>", 1000), 1000), []domain.Code{domain.CodeDocumentTooComplex, domain.CodeNoTextFound}},
		{"many members", "bomb.docx", zipped(t, members(25_000)...), []domain.Code{domain.CodeDocumentTooComplex}},
		{
			"shared strings", "bomb.xlsx", zipped(t, file{name: "_rels/.rels", data: rels("officeDocument", "xl/workbook.xml")},
				file{name: "xl/workbook.xml", data: `<workbook xmlns:r="` + relationships + `"><sheet name="S" r:id="r2"/></workbook>`},
				file{name: "xl/_rels/workbook.xml.rels", data: rels("sharedStrings", "s.xml", "worksheet", "w.xml")},
				file{name: "xl/s.xml", data: "<sst><si><t>" + long + "</t></si></sst>"},
				file{name: "xl/w.xml", data: "<worksheet><row>" + strings.Repeat(`<c t="s"><v>0</v></c>`, 10_000) + "</row></worksheet>"}),
			[]domain.Code{domain.CodeDocumentTooComplex},
		},
		{
			"entities in docx", "bomb.docx", zipped(t, file{name: "_rels/.rels", data: rels("officeDocument", "word/document.xml")},
				file{name: "word/document.xml", data: entities() + `<w:document ` + wordSpaces + `><w:body>` + para("&l9;") + `</w:body></w:document>`}),
			[]domain.Code{domain.CodeNoTextFound, domain.CodeDocumentMalformed},
		},
		{
			"external entity", "bomb.docx", zipped(t, file{name: "_rels/.rels", data: rels("officeDocument", "word/document.xml")},
				file{name: "word/document.xml", data: `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><w:document ` + wordSpaces + `><w:body>` + para("&f;") + `</w:body></w:document>`}),
			[]domain.Code{domain.CodeNoTextFound, domain.CodeDocumentMalformed},
		},
		{
			"flate in pdf", "bomb.pdf", pdfOf("/Root 1 0 R", catalog, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page,
				stream("/Filter /FlateDecode", flate(t, 64*mib))),
			[]domain.Code{domain.CodeDocumentTooComplex, domain.CodeNoTextFound, domain.CodeDocumentMalformed},
		},
		{
			"pages in pdf", "bomb.pdf", pdfOf("/Root 1 0 R", catalog, "<< /Type /Pages /Count 2000000000 /Kids [3 0 R] >>", page, stream("", "")),
			[]domain.Code{domain.CodeDocumentTooComplex},
		},
		{
			"negative pages", "bomb.pdf", pdfOf("/Root 1 0 R", catalog, "<< /Type /Pages /Count -5 /Kids [3 0 R] >>", page, stream("", "")),
			[]domain.Code{domain.CodeDocumentMalformed, domain.CodeNoTextFound},
		},
		{
			"page that is its own parent", "bomb.pdf", pdfOf("/Root 1 0 R", catalog, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
				"<< /Type /Page /Parent 3 0 R /Contents 4 0 R >>", stream("", "")),
			[]domain.Code{domain.CodeDocumentMalformed, domain.CodeNoTextFound},
		},
		{
			"outline within itself", "bomb.pdf", pdfOf("/Root 1 0 R", "<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
				"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
				"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
				stream("", "BT /F1 12 Tf 72 720 Td (kept text) Tj ET"), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
				"<< /First 7 0 R /Last 7 0 R >>", "<< /Title (Loop) /Parent 6 0 R /First 7 0 R /Last 7 0 R /Next 7 0 R >>"),
			[]domain.Code{"", domain.CodeDocumentMalformed},
		},
		{
			"form within itself", "bomb.pdf", pdfOf("/Root 1 0 R", catalog, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
				"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /XObject << /X 5 0 R >> >> /Contents 4 0 R >>",
				stream("", "/X Do"), stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>", "/X Do /X Do")),
			[]domain.Code{domain.CodeNoTextFound, domain.CodeDocumentMalformed, domain.CodeDocumentTooComplex},
		},
		{"gzip in gzip", "bomb.gz", outer.Bytes(), []domain.Code{domain.CodeUnsupportedType}},
		{"nested html", "bomb.html", []byte("<html>" + strings.Repeat("<div>", 50_000) + "deep"), []domain.Code{"", domain.CodeDocumentTooComplex, domain.CodeTimedOut}},
		{"nested rtf", "bomb.rtf", []byte(`{\rtf1 ` + strings.Repeat("{", 1<<20)), []domain.Code{domain.CodeNoTextFound}},
	}
	limits := extraction.Limits{MaxUnpacked: 8 * mib, MaxText: 4 * mib, Memory: 256 * mib, CPU: 5 * time.Second}
	box := newSandbox(t, limits)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := upload(t.Context(), box, tt.data, tt.file)
			got := domain.CodeOf(err)
			for _, want := range tt.want {
				if got == want {
					return
				}
			}
			t.Errorf("got %q (%v), %d pages, want one of %q", got, err, len(x.Pages), tt.want)
		})
	}
	checkMemory(t, box, limits.Memory)
}

func gzipTo(t *testing.T, out *bytes.Buffer, data []byte) {
	t.Helper()
	w := gzip.NewWriter(out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// lying returns a zip file whose directory understates all sizes.
func lying(t *testing.T, data []byte) []byte {
	t.Helper()
	for at := 0; ; {
		next := bytes.Index(data[at:], []byte("PK\x01\x02"))
		if next < 0 {
			return data
		}
		at += next + 4
		binary.LittleEndian.PutUint32(data[at+20:], 100)
	}
}

// checkMemory fails when a child has held more than its limit allows on top of
// the program itself and the document.
func checkMemory(t *testing.T, box *extraction.Sandbox, limit int64) {
	t.Helper()
	const program = 256 << 20
	peak := box.PeakMemory()
	t.Logf("largest child: %d MiB", peak>>20)
	if peak > limit+program {
		t.Errorf("a child held %d MiB, its limit is %d MiB", peak>>20, limit>>20)
	}
}

func members(n int) []file {
	files := []file{{name: "word/document.xml", data: "<x/>"}}
	for i := range n {
		files = append(files, file{name: fmt.Sprintf("word/%d.xml", i)})
	}
	return files
}

// entities declares entities that unfold to a billion letters.
func entities() string {
	var out strings.Builder
	out.WriteString(`<!DOCTYPE x [<!ENTITY l0 "lol">`)
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&out, `<!ENTITY l%d "%s">`, i, strings.Repeat(fmt.Sprintf("&l%d;", i-1), 10))
	}
	return out.String() + "]>"
}
