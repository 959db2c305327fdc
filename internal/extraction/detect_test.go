package extraction_test

import (
	"strings"
	"testing"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	ole := "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 1000)
	tests := []struct {
		name, file string
		head       string
		want       domain.DocumentType
		code       domain.Code
	}{
		{"pdf under any name", "cv.docx", string(pdf([]string{"x"})), domain.TypePDF, ""},
		{"pdf after junk", "a.pdf", "junk\r\n%PDF-1.4\n", domain.TypePDF, ""},
		{"docx", "a.zip", string(docx(t, para("x"))), domain.TypeDOCX, ""},
		{"pptx", "", string(pptx(t)), domain.TypePPTX, ""},
		{"xlsx", "", string(xlsx(t)), domain.TypeXLSX, ""},
		{"odt", "", string(odt(t)), domain.TypeODT, ""},
		{"epub", "", string(epub(t)), domain.TypeEPUB, ""},
		{"xps", "", string(zipped(t, file{name: "FixedDocSeq.fdseq", data: "<x/>"})), domain.TypeXPS, ""},
		{"comic", "a.cbz", string(zipped(t, file{name: "1.png", data: "x"}, file{name: "2.png", data: "x"})), domain.TypeCBZ, ""},
		{"other zip", "a.zip", string(zipped(t, file{name: "src/main.go", data: "x"})), "", domain.CodeUnsupportedType},
		{"cut docx by its name", "a.docx", "PK\x03\x04", domain.TypeDOCX, ""},
		{"rtf", "a.doc", `{\rtf1 x}`, domain.TypeRTF, ""},
		{"mobi", "a", strings.Repeat("\x00", 60) + "BOOKMOBI" + "rest", domain.TypeMOBI, ""},
		{"old word", "a.doc", ole, "", domain.CodeUnsupportedType},
		{"encrypted docx", "a.docx", ole, "", domain.CodeDocumentEncrypted},
		{"encrypted under any name", "a.bin", ole + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "", domain.CodeDocumentEncrypted},
		{"html", "page", "\n<!-- x -->\n<!DOCTYPE HTML><p>x", domain.TypeHTML, ""},
		{"xhtml", "page", `<?xml version="1.0"?><html xmlns="x">`, domain.TypeHTML, ""},
		{"other xml", "a.xml", `<?xml version="1.0"?><feed/>`, "", domain.CodeUnsupportedType},
		{"html shown as text", "a.txt", "<html><body>x", domain.TypeTXT, ""},
		{"markdown", "a.md", "<div>x</div>", domain.TypeTXT, ""},
		{"text", "", "Just words.", domain.TypeTXT, ""},
		{"text cut within a letter", "", "Gr\xc3\xbc\xc3", domain.TypeTXT, ""},
		{"text that claims to be a pdf", "a.pdf", "Just words.", "", domain.CodeUnsupportedType},
		{"picture", "a.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "", domain.CodeUnsupportedType},
		{"program", "a.txt", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00", "", domain.CodeUnsupportedType},
		{"empty", "a.pdf", "", "", domain.CodeEmptyDocument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := extraction.Detect([]byte(tt.head), tt.file)
			if got != tt.want || domain.CodeOf(err) != tt.code {
				t.Errorf("got %q, %v; want %q, %q", got, err, tt.want, tt.code)
			}
		})
	}
}
