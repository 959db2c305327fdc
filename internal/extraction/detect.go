package extraction

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/plaintext"
)

// DetectBytes is how much of a document's beginning Detect should see. More is
// as good; fewer are enough for all but odd zip containers.
const DetectBytes = 64 << 10

// Detect tells what a document is from its first bytes. The file name only
// breaks ties: between kinds of text, and between office formats whose
// beginnings are alike. The error is a *domain.Error.
func Detect(head []byte, filename string) (domain.DocumentType, error) {
	ext := strings.ToLower(path.Ext(filename))
	switch {
	case len(head) == 0:
		return "", domain.Errorf(domain.CodeEmptyDocument, "The file is empty.")
	case bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")):
		return domain.TypePDF, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return detectZip(head, ext)
	case bytes.HasPrefix(head, []byte(`{\rtf`)):
		return domain.TypeRTF, nil
	case len(head) > 68 && slices.Contains([]string{"BOOKMOBI", "TEXtREAd"}, string(head[60:68])):
		return domain.TypeMOBI, nil
	case bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return "", detectOLE(head, ext)
	}
	return detectText(head, ext)
}

// zipTypes are the office types by what the names of their members begin with.
var zipTypes = []struct {
	prefix string
	kind   domain.DocumentType
}{
	{"word/", domain.TypeDOCX},
	{"ppt/", domain.TypePPTX},
	{"xl/", domain.TypeXLSX},
	{"FixedDocSeq.fdseq", domain.TypeXPS},
	{"FixedDocumentSequence.fdseq", domain.TypeXPS},
	{"Documents/1/", domain.TypeXPS},
}

// detectZip goes by the declared media type, then by the members' names.
func detectZip(head []byte, ext string) (domain.DocumentType, error) {
	members := zipMembers(head)
	if len(members) > 0 && members[0].name == "mimetype" {
		media := string(members[0].stored)
		switch {
		case strings.HasPrefix(media, "application/epub+zip"):
			return domain.TypeEPUB, nil
		case strings.HasPrefix(media, "application/vnd.oasis.opendocument.text"):
			return domain.TypeODT, nil
		}
	}
	images := 0
	for _, m := range members {
		for _, t := range zipTypes {
			if strings.HasPrefix(m.name, t.prefix) {
				return t.kind, nil
			}
		}
		if slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp"}, strings.ToLower(path.Ext(m.name))) {
			images++
		}
	}
	byName := map[string]domain.DocumentType{
		".docx": domain.TypeDOCX, ".docm": domain.TypeDOCX, ".dotx": domain.TypeDOCX, ".odt": domain.TypeODT,
		".pptx": domain.TypePPTX, ".xlsx": domain.TypeXLSX, ".epub": domain.TypeEPUB, ".xps": domain.TypeXPS,
		".cbz": domain.TypeCBZ,
	}
	if kind, ok := byName[ext]; ok {
		return kind, nil
	}
	if len(members) > 0 && images == len(members) {
		return domain.TypeCBZ, nil
	}
	return "", unsupported("The file is a zip archive. Upload the documents in it one by one.")
}

type zipMember struct {
	name   string
	stored []byte // begins with the content, where it is not compressed
}

// zipMembers reads the local headers in the beginning of a zip file. Where a
// member does not say its size, it looks for the next header.
func zipMembers(head []byte) []zipMember {
	const headerSize = 30
	var members []zipMember
	for pos := 0; pos+headerSize <= len(head) && string(head[pos:pos+4]) == "PK\x03\x04"; {
		method := binary.LittleEndian.Uint16(head[pos+8:])
		size := int(binary.LittleEndian.Uint32(head[pos+18:]))
		nameLen := int(binary.LittleEndian.Uint16(head[pos+26:]))
		body := pos + headerSize + nameLen + int(binary.LittleEndian.Uint16(head[pos+28:]))
		if body > len(head) {
			break
		}
		m := zipMember{name: string(head[pos+headerSize : pos+headerSize+nameLen])}
		if method == 0 {
			m.stored = head[body:] // its end may be unknown, its beginning is enough
		}
		members = append(members, m)
		if size > len(head)-body {
			break
		}
		next := bytes.Index(head[body+size:], []byte("PK\x03\x04"))
		if next < 0 {
			break
		}
		pos = body + size + next
	}
	return members
}

// detectOLE tells encrypted office files, which are wrapped in the container
// that the old formats use, from the old formats.
func detectOLE(head []byte, ext string) error {
	wrapped := bytes.Contains(head, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"))
	modern := slices.Contains([]string{".docx", ".docm", ".dotx", ".pptx", ".pptm", ".xlsx", ".xlsm"}, ext)
	if wrapped || modern {
		return errorFor(domain.CodeDocumentEncrypted)
	}
	return unsupported("Files of the old Office formats (.doc, .xls, .ppt) are not supported. Save the document as .docx or PDF and upload that.")
}

func detectText(head []byte, ext string) (domain.DocumentType, error) {
	if !plaintext.Plausible(head) {
		return "", unsupported("This kind of file is not supported.")
	}
	text, _ := plaintext.Decode(trimPartialRune(head))
	text = strings.ToLower(strings.TrimLeft(strings.TrimPrefix(text, "\ufeff"), " \t\r\n"))
	isXML := strings.HasPrefix(text, "<?xml")
	switch {
	case strings.HasPrefix(text, `{\rtf`):
		return domain.TypeRTF, nil
	case slices.Contains([]string{".txt", ".md", ".markdown"}, ext):
		return domain.TypeTXT, nil
	case startsHTML(text, isXML), slices.Contains([]string{".html", ".htm", ".xhtml"}, ext) && strings.Contains(text, "<"):
		return domain.TypeHTML, nil
	case isXML:
		return "", unsupported("XML files are not supported.")
	case slices.Contains([]string{".pdf", ".docx", ".odt", ".pptx", ".xlsx", ".rtf", ".epub", ".doc"}, ext):
		return "", unsupported("The file is named " + ext + " but its content is not of that kind.")
	}
	return domain.TypeTXT, nil
}

// startsHTML reports whether lower-case text begins like a web page.
func startsHTML(text string, isXML bool) bool {
	if isXML {
		return strings.Contains(text[:min(len(text), 2048)], "<html")
	}
	for strings.HasPrefix(text, "<!--") {
		_, rest, found := strings.Cut(text, "-->")
		if !found {
			return true
		}
		text = strings.TrimLeft(rest, " \t\r\n")
	}
	for _, tag := range []string{
		"<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<script", "<style",
		"<table", "<div", "<p>", "<p ", "<h1", "<br", "<a ", "<font", "<span",
	} {
		if strings.HasPrefix(text, tag) {
			return true
		}
	}
	return false
}

// trimPartialRune drops a UTF-8 sequence that the end of the sample cut.
func trimPartialRune(head []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(head); i++ {
		if c := head[len(head)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(head[len(head)-i:]) {
				return head[:len(head)-i]
			}
			break
		}
	}
	return head
}

func unsupported(sentence string) *domain.Error {
	return domain.Errorf(domain.CodeUnsupportedType, "%s", sentence).
		WithHint("Supported: PDF, DOCX, ODT, PPTX, XLSX, RTF, EPUB, XPS, MOBI, HTML and text.")
}
