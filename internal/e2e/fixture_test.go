package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

// pdf makes a PDF of the given pages, each of some lines in Latin-1.
func pdf(pages ...[]string) []byte {
	contents := make([]string, len(pages))
	for i, lines := range pages {
		contents[i] = textStream(lines)
	}
	return pdfOf(contents, "")
}

// textStream draws lines from the top of a page downwards.
func textStream(lines []string) string {
	var b strings.Builder
	b.WriteString("BT /F1 11 Tf 14 TL 60 780 Td\n")
	escape := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)
	for _, line := range lines {
		fmt.Fprintf(&b, "(%s) Tj T*\n", escape.Replace(line))
	}
	b.WriteString("ET")
	return b.String()
}

const picture = "q 400 0 0 600 80 100 cm\nBI /W 4 /H 2 /BPC 8 /CS /G ID \x10\xd0\x20\xc0\xa0\x40\xb0\x30 EI\nQ"

// scannedPDF has pages that are pictures: there is no text to be found.
func scannedPDF(pages int) []byte {
	contents := make([]string, pages)
	for i := range contents {
		contents[i] = picture
	}
	return pdfOf(contents, "")
}

// encryptedPDF wants a password that nobody knows.
func encryptedPDF() []byte {
	key := strings.Repeat("ab", 32)
	return pdfOf([]string{textStream([]string{"secret"})}, fmt.Sprintf(
		"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >> /ID [<%s> <%s>]", key, key, key[:32], key[:32]))
}

// pdfOf lays out objects: catalog, page tree, font, and two for each page.
func pdfOf(contents []string, trailer string) []byte {
	var kids strings.Builder
	for i := range contents {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), len(contents)),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	for i, content := range contents {
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 5+2*i),
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, xref)
	return b.Bytes()
}

const (
	contentTypes = `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`
	relationships = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`
	documentStart = `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	documentEnd   = `</w:body></w:document>`
)

// docx makes a Word document of some paragraphs.
func docx(t testing.TB, paragraphs ...string) []byte {
	t.Helper()
	return docxOf(t, func(part *bytes.Buffer) {
		for _, p := range paragraphs {
			part.WriteString("<w:p><w:r><w:t>")
			_ = xml.EscapeText(part, []byte(p)) // a bytes.Buffer takes everything
			part.WriteString("</w:t></w:r></w:p>")
		}
	})
}

// bomb is a Word document of a few hundred kilobytes that unpacks to size bytes.
func bomb(t testing.TB, size int) []byte {
	t.Helper()
	return docxOf(t, func(part *bytes.Buffer) {
		part.WriteString("<w:p><w:r><w:t>")
		part.Write(bytes.Repeat([]byte("A"), size))
		part.WriteString("</w:t></w:r></w:p>")
	})
}

func docxOf(t testing.TB, body func(part *bytes.Buffer)) []byte {
	t.Helper()
	var part bytes.Buffer
	part.WriteString(documentStart)
	body(&part)
	part.WriteString(documentEnd)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, file := range []struct {
		name string
		data []byte
	}{
		{"[Content_Types].xml", []byte(contentTypes)},
		{"_rels/.rels", []byte(relationships)},
		{"word/document.xml", part.Bytes()},
	} {
		w, err := z.Create(file.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(file.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The posting and the applicants of the main job. Vera meets what is asked for,
// Otto does not.
var (
	posting = []string{
		"Backend Engineer (Go)",
		"Requirements:",
		"- Five years of experience with Go",
		"- Experience with PostgreSQL",
		"- Experience with Kubernetes is a plus",
		"- Fluent English",
	}
	vera = [][]string{
		{
			"Vera Lindqvist", "Curriculum vitae", "Summary",
			"Backend engineer with eight years of experience with Go and distributed systems.",
			"Built and ran payment services in Go since 2016.",
		},
		{
			"Skills", "PostgreSQL: schema design, query tuning, replication, six years.",
			"Kubernetes: ran three production clusters.", "Languages", "English: fluent. Swedish: native.",
		},
	}
	otto = []string{
		"Otto Brandner", "Pastry chef", "Twelve years in the bakery of a grand hotel.",
		"Skills: sourdough, sugar work, team of five.", "Languages: German native, French basic.",
	}
)
