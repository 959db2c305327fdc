package extraction_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

// read uploads a document and returns the text of its pages.
func read(t *testing.T, data []byte, name string) ([]string, domain.Extraction, error) {
	t.Helper()
	x, err := upload(t.Context(), newSandbox(t, extraction.Limits{}), data, name)
	var pages []string
	for _, p := range x.Pages {
		pages = append(pages, p.Text)
	}
	return pages, x, err
}

func TestFormats(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		file string
		data []byte
		kind domain.DocumentType
		want []string
	}{
		{"form field", "form.pdf", formPDF("Name:", "Ada Example"), domain.TypePDF, []string{"Name:\n\nAda Example"}},
		{
			"docx paragraphs and tabs", "a.docx", docx(t, para("One")+`<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>Two</w:t><w:tab/><w:t>Three</w:t><w:br/><w:t>Four</w:t></w:r></w:p>`),
			domain.TypeDOCX,
			[]string{"One\nTwo\tThree\nFour"},
		},
		{
			"docx table", "a.docx", docx(t, `<w:tbl><w:tr><w:tc>`+para("a")+`</w:tc><w:tc>`+para("b")+`</w:tc></w:tr><w:tr><w:tc>`+para("c")+`</w:tc><w:tc>`+para("d")+`</w:tc></w:tr></w:tbl>`+para("after")),
			domain.TypeDOCX,
			[]string{"a\tb\nc\td\nafter"},
		},
		{
			"docx tracked changes", "a.docx", docx(t, `<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>`),
			domain.TypeDOCX,
			[]string{"new"},
		},
		{
			"docx fields", "a.docx", docx(t, `<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText><w:t>code</w:t><w:fldChar w:fldCharType="separate"/><w:t>7</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p>`),
			domain.TypeDOCX,
			[]string{"7"},
		},
		{
			"docx text box once", "a.docx", docx(t, `<w:p><w:r><w:t>Before</w:t><mc:AlternateContent><mc:Choice Requires="wps"><w:txbxContent>`+para("Boxed")+`</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>`+para("Boxed")+`</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>`),
			domain.TypeDOCX,
			[]string{"Before\nBoxed"},
		},
		{
			"docx picture description", "a.docx", docx(t, `<w:p><w:r><w:drawing><wp:docPr id="1" name="x" descr="A red fox"/></w:drawing></w:r></w:p>`),
			domain.TypeDOCX,
			[]string{"A red fox"},
		},
		{
			"docx notes on their page", "a.docx",
			docx(t, `<w:p><w:r><w:t>Claim</w:t><w:footnoteReference w:id="2"/></w:r></w:p><w:p><w:r><w:br w:type="page"/><w:lastRenderedPageBreak/><w:t>Next</w:t></w:r></w:p>`,
				file{name: "footnotes.xml", data: `<w:footnotes ` + wordSpaces + `><w:footnote w:id="2">` + para("Proof") + `</w:footnote></w:footnotes>`}),
			domain.TypeDOCX,
			[]string{"Claim[1]\n[1] Proof", "Next"},
		},
		{
			"docx header, footer and comment", "a.docx",
			docx(t, `<w:p><w:r><w:t>Body</w:t><w:commentReference w:id="0"/></w:r></w:p>`,
				file{name: "header1.xml", data: `<w:hdr ` + wordSpaces + `>` + para("Head") + `</w:hdr>`},
				file{name: "footer1.xml", data: `<w:ftr ` + wordSpaces + `>` + para("Foot") + `</w:ftr>`},
				file{name: "comments.xml", data: `<w:comments ` + wordSpaces + `><w:comment w:id="0">` + para("Remark") + `</w:comment></w:comments>`}),
			domain.TypeDOCX,
			[]string{"Head\nBody\nRemark\nFoot"},
		},
		{
			"docx strict", "a.docx", zipped(t,
				file{name: "_rels/.rels", data: strings.ReplaceAll(rels("officeDocument", "word/document.xml"), "schemas.openxmlformats.org/officeDocument/2006", "purl.oclc.org/ooxml/officeDocument")},
				file{name: "word/document.xml", data: `<w:document xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"><w:body>` + para("Strict") + `</w:body></w:document>`}),
			domain.TypeDOCX,
			[]string{"Strict"},
		},
		{
			"docx in UTF-16", "a.docx", zipped(t,
				file{name: "_rels/.rels", data: rels("officeDocument", "word/document.xml")},
				file{name: "word/document.xml", data: wide(`<?xml version="1.0" encoding="UTF-16"?><w:document `+wordSpaces+`><w:body>`+para("Größe")+`</w:body></w:document>`, binary.LittleEndian)}),
			domain.TypeDOCX,
			[]string{"Größe"},
		},
		{"pptx slides and notes", "a.pptx", pptx(t), domain.TypePPTX, []string{"Title one\nBullet\nSpeak slowly", "Title two"}},
		{"xlsx strings, numbers and dates", "a.xlsx", xlsx(t), domain.TypeXLSX, []string{"Staff\nName\tBorn\nAda\t2023-01-01\t0.5\tTRUE"}},
		{"odt lists, notes, deletions", "a.odt", odt(t), domain.TypeODT, []string{"Intro[1] goes   on\n4. Item\na. Inner\n5. Last\n[1] Footnote", "Second page"}},
		{
			"rtf code pages and unicode", "a.rtf", []byte(`{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial Cyr;}}{\info{\title Letter}}{\*\generator Word}Gr\'fc\'dfe\par \f1\'cf\'f0\'e8\'e2\'e5\'f2\f0\par \u8364?\uc0\u8211 5\tab x{\v hidden}{\*\cs5 gone}\page Seite 2}`),
			domain.TypeRTF,
			[]string{"Grüße\nПривет\n€–5\tx", "Seite 2"},
		},
		{"epub chapters", "a.epub", epub(t), domain.TypeEPUB, []string{"Chapter 1\nIt began.", "Chapter 2\nIt ended."}},
		{"html visible text", "a.html", []byte(`<!DOCTYPE html><html lang="en"><head><title>T</title><style>p{}</style></head><body><h1>Head</h1><p>One <b>bold</b>&nbsp;word.<script>x()</script></p><table><tr><td>a</td><td>b</td></tr></table><p hidden>no</p><pre>  x
  y</pre></body></html>`), domain.TypeHTML, []string{"Head\nOne bold word.\na\tb\n  x\n  y"}},
		{"html in its own charset", "a.html", []byte("<html><head><meta charset=iso-8859-2></head><body>\xb1\xe6</body></html>"), domain.TypeHTML, []string{"ąć"}},
		{"markdown", "a.md", []byte("# Title\r\n\r\n\r\nText\x01 end\u00ad.\n"), domain.TypeTXT, []string{"# Title\n\nText end."}},
		{"form feeds are pages", "a.txt", []byte("one\ftwo"), domain.TypeTXT, []string{"one", "two"}},
		{"decomposed letters", "a.txt", []byte("u\u0308ber"), domain.TypeTXT, []string{"über"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pages, x, err := read(t, tt.data, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, pages); diff != "" {
				t.Error(diff)
			}
			if x.Type != tt.kind || x.State != domain.DocumentReady {
				t.Errorf("type %s, state %s, warnings %q", x.Type, x.State, x.Warnings)
			}
		})
	}
}

func wide(s string, order binary.AppendByteOrder) string {
	out := order.AppendUint16(nil, 0xFEFF)
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return string(out)
}

func pptx(t *testing.T) []byte {
	const spaces = `xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="` + relationships + `"`
	text := func(lines ...string) string {
		return "<p:sld " + spaces + "><a:p><a:r><a:t>" + strings.Join(lines, "</a:t></a:r></a:p><a:p><a:r><a:t>") + "</a:t></a:r></a:p></p:sld>"
	}
	return zipped(t,
		file{name: "[Content_Types].xml", data: "<Types/>"},
		file{name: "_rels/.rels", data: rels("officeDocument", "ppt/presentation.xml")},
		// The order of the slides is that of the list, not of their names.
		file{name: "ppt/presentation.xml", data: `<p:presentation ` + spaces + `><p:sldIdLst><p:sldId id="256" r:id="r2"/><p:sldId id="257" r:id="r1"/></p:sldIdLst></p:presentation>`},
		file{name: "ppt/_rels/presentation.xml.rels", data: rels("slide", "slides/slide1.xml", "slide", "slides/slide2.xml")},
		file{name: "ppt/slides/slide1.xml", data: text("Title two")},
		file{name: "ppt/slides/slide2.xml", data: text("Title one", "Bullet")},
		file{name: "ppt/slides/_rels/slide2.xml.rels", data: rels("notesSlide", "../notesSlides/n.xml")},
		file{name: "ppt/notesSlides/n.xml", data: text("Speak slowly")},
	)
}

func xlsx(t *testing.T) []byte {
	return zipped(t,
		file{name: "_rels/.rels", data: rels("officeDocument", "xl/workbook.xml")},
		file{name: "xl/workbook.xml", data: `<workbook xmlns:r="` + relationships + `"><sheets><sheet name="Staff" sheetId="1" r:id="r1"/></sheets></workbook>`},
		file{name: "xl/_rels/workbook.xml.rels", data: rels("worksheet", "worksheets/sheet1.xml", "sharedStrings", "sharedStrings.xml", "styles", "styles.xml")},
		file{name: "xl/sharedStrings.xml", data: `<sst><si><t>Name</t></si><si><r><t>Bo</t></r><r><t>rn</t></r></si></sst>`},
		file{name: "xl/styles.xml", data: `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>`},
		file{name: "xl/worksheets/sheet1.xml", data: `<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c t="inlineStr"><is><t>Ada</t></is></c><c s="1"><v>44927</v></c><c><v>0.50</v></c><c t="b"><v>1</v></c><c t="s"><v>99</v></c></row></sheetData></worksheet>`},
	)
}

func odt(t *testing.T) []byte {
	const spaces = `xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"`
	return zipped(t,
		file{name: "mimetype", data: "application/vnd.oasis.opendocument.text"},
		file{name: "content.xml", data: `<office:document-content ` + spaces + `><office:automatic-styles><text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="." text:start-value="4"/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix="."/></text:list-style></office:automatic-styles><office:body><office:text>
<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>
<text:p>Intro<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Footnote</text:p></text:note-body></text:note> goes <text:s text:c="2"/>on</text:p>
<text:list text:style-name="L"><text:list-item><text:p>Item</text:p><text:list><text:list-item><text:p>Inner</text:p></text:list-item></text:list></text:list-item><text:list-item><text:p>Last</text:p></text:list-item></text:list>
<text:p><text:soft-page-break/>Second page</text:p></office:text></office:body></office:document-content>`},
	)
}

func epub(t *testing.T) []byte {
	chapter := func(title, text string) string {
		return `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><h1>` + title + `</h1><p>` + text + `</p></body></html>`
	}
	return zipped(t,
		file{name: "mimetype", data: "application/epub+zip"},
		file{name: "META-INF/container.xml", data: `<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`},
		file{name: "OEBPS/book.opf", data: `<package><metadata><title>Book</title><language>en</language></metadata><manifest><item id="a" href="1%20a.xhtml"/><item id="b" href="2.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>`},
		file{name: "OEBPS/1 a.xhtml", data: chapter("Chapter 1", "It began.")},
		file{name: "OEBPS/2.xhtml", data: chapter("Chapter 2", "It ended.")},
	)
}

func TestTextEncodings(t *testing.T) {
	t.Parallel()
	const german = "Die Prüfung läuft größtenteils über Köln. Straßen, Häuser und Bäume säumen den schönen Weg."
	const russian = "Однажды, в студёную зимнюю пору, я из лесу вышел; был сильный мороз. Гляжу, поднимается медленно в гору лошадка, везущая хворосту воз."
	latin, _ := charmap.Windows1252.NewEncoder().String(german)
	dos, _ := charmap.CodePage866.NewEncoder().String(russian)
	cp1251, _ := charmap.Windows1251.NewEncoder().String(russian)
	koi8, _ := charmap.KOI8R.NewEncoder().String(russian)
	ebcdic, _ := charmap.CodePage1140.NewEncoder().String("This letter was written on a mainframe. It is older than most of us and still going strong.")
	tests := []struct{ name, data, want string }{
		{"utf-8", german, german},
		{"utf-8 with mark", "\ufeff" + german, german},
		{"utf-16le with mark", wide(german, binary.LittleEndian), german},
		{"utf-16be with mark", wide(german, binary.BigEndian), german},
		{"utf-16le without mark", wide(german, binary.LittleEndian)[2:], german},
		{"utf-16be without mark", wide(german, binary.BigEndian)[2:], german},
		{"windows-1252", latin, german},
		{"cp866", dos, russian},
		{"windows-1251", cp1251, russian},
		{"koi8-r", koi8, russian},
		{"ebcdic", ebcdic, "This letter was written on a mainframe. It is older than most of us and still going strong."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pages, _, err := read(t, []byte(tt.data), "letter.txt")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.want}, pages); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQuality(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("plain words ", 20)
	tests := []struct {
		name    string
		file    string
		data    []byte
		code    domain.Code
		state   domain.DocumentState
		reasons []string
	}{
		{"scan", "a.pdf", scanPDF(""), domain.CodeNoTextFound, "", nil},
		{"scan with a page number", "a.pdf", scanPDF("17"), domain.CodeNoTextFound, "", nil},
		{"text over a picture", "a.pdf", scanPDF(text), "", domain.DocumentReady, []string{""}},
		{"blank page among others", "a.pdf", pdf([]string{"words"}, nil), "", domain.DocumentReady, []string{"", "blank"}},
		{"replacement characters", "a.txt", []byte("ab" + strings.Repeat("\ufffd", 8)), domain.CodeNoTextFound, "", nil},
		{"some icons", "a.txt", []byte(text + "\ue001\ue002"), "", domain.DocumentReady, []string{""}},
		{"private characters only", "a.txt", []byte("a" + strings.Repeat("\ue001", 9)), domain.CodeNoTextFound, "", nil},
		{"one garbled page", "a.txt", []byte(text + "\f" + strings.Repeat("\ufffd", 9)), "", domain.DocumentPartial, []string{"", "garbled"}},
		{"damaged docx", "a.docx", zipped(t, file{name: "_rels/.rels", data: rels("officeDocument", "word/document.xml")},
			file{name: "word/document.xml", data: `<w:document ` + wordSpaces + `><w:body>` + para("kept") + `<w:p><w:r><w:t>cut`}), "", domain.DocumentPartial, []string{"truncated"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, x, err := read(t, tt.data, tt.file)
			if got := domain.CodeOf(err); got != tt.code {
				t.Fatalf("code %q, want %q", got, tt.code)
			}
			if err != nil {
				hint := domain.AsError(err).Hint
				if hint == "" || strings.HasSuffix(tt.file, ".txt") == strings.Contains(hint, "OCR") {
					t.Errorf("no good hint of what to do: %q", hint)
				}
				return
			}
			var reasons []string
			for _, p := range x.Pages {
				reasons = append(reasons, p.Quality.Reason)
			}
			if diff := cmp.Diff(tt.reasons, reasons); diff != "" || x.State != tt.state {
				t.Errorf("state %s %q: %s", x.State, x.Warnings, diff)
			}
			if x.State == domain.DocumentPartial && !strings.Contains(strings.Join(x.Warnings, ""), "Page") {
				t.Errorf("warnings name no page: %q", x.Warnings)
			}
		})
	}
}

func TestOutlineAndMetadata(t *testing.T) {
	t.Parallel()
	data := pdfOf("/Root 1 0 R /Info 8 0 R",
		"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
		"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>",
		stream("", "BT /F1 12 Tf 72 720 Td (Body text) Tj ET"),
		"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
		"<< /Title (Part one) /Parent 6 0 R /Dest [4 0 R /Fit] /First 9 0 R /Last 9 0 R >>",
		"<< /Title (A   title) /Author (Ada) >>",
		"<< /Title (Section) /Parent 7 0 R /Dest [4 0 R /Fit] >>",
	)
	_, x, err := read(t, data, "a.pdf")
	if err != nil {
		t.Fatal(err)
	}
	want := []domain.OutlineEntry{{Level: 1, Title: "Part one", Page: 1}, {Level: 2, Title: "Section", Page: 1}}
	if diff := cmp.Diff(want, x.Outline); diff != "" {
		t.Error(diff)
	}
	if x.Title != "A title" || x.Metadata["author"] != "Ada" {
		t.Errorf("title %q, metadata %q", x.Title, x.Metadata)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"Wir suchen zum nächsten Termin eine erfahrene Fachkraft für die Pflege unserer Bewohner.", "de"},
		{"We are looking for an experienced engineer to join our growing team in the north.", "en"},
		{"Nous recherchons une personne motivée pour rejoindre notre équipe dans les meilleurs délais.", "fr"},
		{"Buscamos una persona con experiencia para trabajar en nuestro equipo de ventas en Madrid.", "es"},
		{"Hallo", ""},
		{"4711 0815 12.05.2024 99,90 17:30", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := extraction.Language(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}
