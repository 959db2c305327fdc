package webpage

import (
	"bytes"
	"net/url"
	"strings"
	"unicode"

	"codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"generalbackend/internal/extraction/content"
)

// tinyArticle is the length in characters below which a found main text is not
// trusted to be all of it.
const tinyArticle = 200

// Article extracts the main text of a web page, with its title before it. A
// page without a recognisable main text gives all its visible text.
func Article(data []byte, contentType, address string, maxText int) (content.Document, error) {
	whole, err := Read(data, contentType, maxText)
	if err != nil {
		return content.Document{}, err
	}
	page, err := url.Parse(address)
	if err != nil {
		page = nil
	}
	utf8, err := decode(data, contentType)
	if err != nil {
		return content.Document{}, err
	}
	root, err := html.Parse(bytes.NewReader(utf8))
	if err != nil {
		return whole, nil
	}
	doc, text := readable(root, page, maxText)
	if letters(text) < tinyArticle && letters(text) < letters(strings.Join(whole.Pages, "")) {
		return whole, nil
	}
	if doc.Title == "" {
		doc.Title = whole.Title
	}
	if doc.Language == "" {
		doc.Language = whole.Language
	}
	doc.Pages = []string{titled(doc.Title, text)}
	return doc, nil
}

func readable(root *html.Node, page *url.URL, maxText int) (content.Document, string) {
	parser := readability.NewParser()
	found, err := parser.ParseAndMutate(root, page)
	if err != nil || found.Node == nil {
		return content.Document{}, ""
	}
	b := content.NewBuilder(maxText)
	visible(b, found.Node)
	doc := content.Document{
		Title:    strings.TrimSpace(found.Title()),
		Language: found.Language(),
		Metadata: map[string]string{},
	}
	for key, value := range map[string]string{
		"author": found.Byline(), "site": found.SiteName(), "description": found.Excerpt(),
	} {
		if value = strings.TrimSpace(value); value != "" {
			doc.Metadata[key] = value
		}
	}
	return doc, strings.Join(b.Pages(), "\n")
}

// titled puts the title before the text, unless the text begins with it.
func titled(title, text string) string {
	if title == "" || strings.HasPrefix(strings.TrimSpace(text), title) {
		return text
	}
	return title + "\n\n" + text
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// describe reads title, language and description from the head.
func describe(root *html.Node) content.Document {
	doc := content.Document{Metadata: map[string]string{}}
	for n := range root.Descendants() {
		switch n.DataAtom {
		case atom.Html:
			doc.Language = attribute(n, "lang")
		case atom.Title:
			if doc.Title == "" && n.FirstChild != nil && n.Namespace == "" {
				doc.Title = collapse(n.FirstChild.Data)
			}
		case atom.Meta:
			name := strings.ToLower(attribute(n, "name"))
			if name == "author" || name == "description" || name == "keywords" {
				doc.Metadata[name] = attribute(n, "content")
			}
		case atom.Body:
			return doc
		}
	}
	return doc
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}
