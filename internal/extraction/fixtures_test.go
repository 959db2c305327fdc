package extraction_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// pdf writes a PDF whose pages show the given lines in Helvetica. A page of nil
// lines is blank.
func pdf(pages ...[]string) []byte {
	var kids []string
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"}
	for _, lines := range pages {
		var text strings.Builder
		if lines != nil {
			text.WriteString("BT /F1 12 Tf 14 TL 72 720 Td\n")
			for _, l := range lines {
				fmt.Fprintf(&text, "(%s) Tj T*\n", strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(l))
			}
			text.WriteString("ET")
		}
		n := len(objects) + 1
		kids = append(kids, fmt.Sprintf("%d 0 R", n))
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", n+1),
			stream("", text.String()))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), strings.Join(kids, " "))
	return pdfOf("/Root 1 0 R", objects...)
}

func stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

// pdfOf writes objects, numbered from 1, as a PDF file.
func pdfOf(trailer string, objects ...string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, xref)
	return out.Bytes()
}

// scanPDF writes a PDF of one page that an image covers, with text over it.
func scanPDF(over string) []byte {
	pixels := strings.Repeat("\x00\xff", 32)
	content := "q 612 0 0 792 0 0 cm /Im1 Do Q BT /F1 12 Tf 72 720 Td (" + over + ") Tj ET"
	return pdfOf("/Root 1 0 R",
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> /XObject << /Im1 6 0 R >> >> /Contents 5 0 R >>",
		stream("", content),
		stream("/Type /XObject /Subtype /Image /Width 8 /Height 8 /BitsPerComponent 8 /ColorSpace /DeviceGray", pixels),
	)
}

// formPDF writes a PDF with a label and a filled form field.
func formPDF(label, value string) []byte {
	return pdfOf("/Root 1 0 R",
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] /DA (/F1 12 Tf) >> >>",
		"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R /Annots [6 0 R] >>",
		stream("", "BT /F1 12 Tf 72 720 Td ("+label+") Tj ET"),
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V ("+value+") /Rect [72 650 400 680] /P 4 0 R /AP << /N 7 0 R >> >>",
		stream("/Type /XObject /Subtype /Form /BBox [0 0 328 30] /Resources << /Font << /F1 3 0 R >> >>",
			"/Tx BMC BT /F1 12 Tf 2 8 Td ("+value+") Tj ET EMC"),
	)
}

// flate compresses a stream of n zero bytes.
func flate(t testing.TB, n int) string {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	block := make([]byte, 1<<20)
	for ; n > 0; n -= len(block) {
		if _, err := w.Write(block[:min(n, len(block))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// file is a member of a zip container: its data, and after it a block so many
// times over.
type file struct {
	name, data string
	block      string
	times      int
}

func zipped(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		method := zip.Deflate
		if f.name == "mimetype" {
			method = zip.Store
		}
		h, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range append([]string{f.data}, slices.Repeat([]string{f.block}, f.times)...) {
			if _, err := io.WriteString(h, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	wordSpaces    = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="` + relationships + `" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"`
)

func rels(pairs ...string) string {
	var out strings.Builder
	out.WriteString(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&out, `<Relationship Id="r%d" Type="%s/%s" Target="%s"/>`, i/2+1, relationships, pairs[i], pairs[i+1])
	}
	return out.String() + "</Relationships>"
}

// docx writes a DOCX with a body, and further parts that it relates to.
func docx(t testing.TB, body string, parts ...file) []byte {
	t.Helper()
	kinds := []string{}
	files := []file{
		{name: "[Content_Types].xml", data: `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
		{name: "_rels/.rels", data: rels("officeDocument", "word/document.xml")},
		{name: "word/document.xml", data: `<w:document ` + wordSpaces + `><w:body>` + body + `</w:body></w:document>`},
	}
	for _, p := range parts {
		kinds = append(kinds, strings.TrimRight(strings.TrimSuffix(p.name, ".xml"), "0123456789"), p.name)
		files = append(files, file{name: "word/" + p.name, data: p.data})
	}
	return zipped(t, append(files, file{name: "word/_rels/document.xml.rels", data: rels(kinds...)})...)
}

// para is a paragraph of a DOCX.
func para(text string) string {
	return `<w:p><w:r><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
}
